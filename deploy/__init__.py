"""Deployment: container images, the embedded stack, and Apache Kafka for tests."""
