"""Benchmarks, run by `tertulia bench NAME`: modules with `run`, and packages with `command.run`."""

import os

#: Read by numpy. Two threads of BLAS on a busy machine wait for each other, and reading takes ten times as long.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


class BenchmarkError(Exception):
    """A benchmark cannot run. The message names the missing or faulty part."""
