"""The rules of an edition's agenda: pure, no I/O, no clock."""
