"""What runs the services: images, the embedded stack, Apache Kafka for tests, the demo."""
