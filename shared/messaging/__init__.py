"""Kafka: broker, consumer, dead letters, and the tools that read and manage topics."""
