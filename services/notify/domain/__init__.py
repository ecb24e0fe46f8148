"""What participants must hear: pure rules, no I/O, no clock."""
