"""Apache Kafka from Maven Central's jars, with 1 or 3 brokers, for tests and laptops without containers."""
