"""The embedded stack: broker, database, mail sink and the six services as processes on one machine."""
