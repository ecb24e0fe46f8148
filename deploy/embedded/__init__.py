"""The embedded stack: broker, database, mail sink and the four services as processes on one machine."""
