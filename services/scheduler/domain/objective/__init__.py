"""The objective: levels, priorities and goals of an edition."""
