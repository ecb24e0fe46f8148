"""When requests arrive: seconds from the beginning of a stream, in order, drawn from a seed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from random import Random


def poisson(seed: int, count: int, rate: float) -> Iterator[float]:
    """`count` arrivals that know nothing of each other, `rate` a second on average."""
    random, now = Random(seed), 0.0
    for _ in range(count):
        now += random.expovariate(rate)
        yield now


def burst(seed: int, count: int, seconds: float) -> Iterator[float]:
    """`count` arrivals within so many seconds, as after a mailing: each at any time, all alike."""
    random = Random(seed)
    yield from sorted(random.uniform(0, seconds) for _ in range(count))


def last_minute(seed: int, count: int, seconds: float) -> Iterator[float]:
    """`count` arrivals, ever more of them: the rate rises in proportion to the time gone, until so many seconds."""
    random = Random(seed)
    yield from sorted(seconds * math.sqrt(random.random()) for _ in range(count))
