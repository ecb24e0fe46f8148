"""Apache Kafka from Maven Central's jars, one broker or three, for tests and laptops without containers."""
