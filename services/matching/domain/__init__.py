"""The domain of matching: scoring, proposals and consent. Pure: no I/O, no clock."""
