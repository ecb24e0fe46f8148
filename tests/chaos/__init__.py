"""The chaos harness: everything on Apache Kafka, two processes of each service, faults from a seed, and an audit."""
