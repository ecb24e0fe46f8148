"""How pairs are scored, proposed and consented to: pure, no I/O, no clock."""
