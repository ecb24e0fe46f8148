"""Rules for what participants are mailed: pure functions, without I/O and without a clock."""
