"""Arrival times of requests: seconds from the beginning of a stream, ascending, drawn from a seed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from random import Random


def poisson(seed: int, count: int, rate: float) -> Iterator[float]:
    """Draw `count` independent arrivals, `rate` per second on average."""
    random, now = Random(seed), 0.0
    for _ in range(count):
        now += random.expovariate(rate)
        yield now


def burst(seed: int, count: int, seconds: float) -> Iterator[float]:
    """Draw `count` arrivals uniformly within `seconds`, as after a mailing."""
    random = Random(seed)
    yield from sorted(random.uniform(0, seconds) for _ in range(count))


def last_minute(seed: int, count: int, seconds: float) -> Iterator[float]:
    """Draw `count` arrivals within `seconds`, at a rate that rises in proportion to the time elapsed."""
    random = Random(seed)
    yield from sorted(seconds * math.sqrt(random.random()) for _ in range(count))
