"""Pure: what pages show of an edition. No I/O, no clock, no framework."""
