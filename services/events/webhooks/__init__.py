"""Webhooks: the change feed of an operator, sent to the operator's receivers as signed HTTP requests."""
