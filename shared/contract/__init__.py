"""The contract between the services: events, topics, ids, and how they travel."""
