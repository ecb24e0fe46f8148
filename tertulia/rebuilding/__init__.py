"""How the state of each service is made again from the topics: what was heard, and what the service itself said."""
