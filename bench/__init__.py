"""Benchmarks, run by `tertulia bench NAME`: modules with `run`, and packages with `command.run`."""


class BenchmarkError(Exception):
    """A benchmark cannot run. The message names the missing or faulty part."""
