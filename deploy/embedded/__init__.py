"""The embedded stack: broker, database, mail sink and the five services as processes on one machine."""
