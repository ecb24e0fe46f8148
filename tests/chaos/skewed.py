"""Runs a module with a clock that is wrong: `python -m tests.chaos.skewed SECONDS services.scheduler`.

Every service asks `shared.runtime.clock.utc_now` for the time, which is put right or wrong here, before anything of
the service is imported: no code of a service knows of this.
What Kafka's client writes into a record as its time stays right.
"""

from __future__ import annotations

import runpy
import sys
from datetime import datetime, timedelta

from shared.runtime import clock


def skew(offset: timedelta) -> None:
    """Have whatever is imported from now on take its time from a clock that is `offset` fast (or slow, if negative)."""
    right = clock.utc_now

    def wrong() -> datetime:
        return right() + offset

    clock.utc_now = wrong


if __name__ == "__main__":
    _, seconds, module = sys.argv
    skew(timedelta(seconds=float(seconds)))
    runpy.run_module(module, run_name="__main__")
