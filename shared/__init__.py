"""The contract (events, topics) and the plumbing that two services need. Imports no service."""
