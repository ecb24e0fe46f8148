"""Run a module with a wrong clock: `python -m tests.chaos.skewed SECONDS services.scheduler`.

Every service asks `shared.runtime.clock.utc_now` for the time. It is replaced here before the service is imported, so
no code of a service knows of it. The timestamps that Kafka's client writes into records stay right.
"""

from __future__ import annotations

import runpy
import sys
from datetime import datetime, timedelta

from shared.runtime import clock


def skew(offset: timedelta) -> None:
    """Give all modules imported later a clock that is `offset` fast, or slow if negative."""
    right = clock.utc_now

    def wrong() -> datetime:
        return right() + offset

    clock.utc_now = wrong


if __name__ == "__main__":
    _, seconds, module = sys.argv
    skew(timedelta(seconds=float(seconds)))
    runpy.run_module(module, run_name="__main__")
