"""The events service: the change feed of an operator's editions, and its webhooks."""
