"""MongoDB: driver, journal, outbox, and the rebuilding of lost state."""
