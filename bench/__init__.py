"""Benchmarks, run by `tertulia bench NAME`: modules with `run`, and packages with `command.run`."""
