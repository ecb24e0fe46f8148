"""Lists that people have: their values read as facts, their rows planned and applied."""
