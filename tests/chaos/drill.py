"""Recovery drill: the time that a partition stands still when its consumer is killed and nothing else is wrong."""

from __future__ import annotations

import asyncio
import time

from shared.contract.topics import group_of
from tests.chaos.stack import INSTANCES, SESSION_SECONDS, ChaosStack, instance
from tests.chaos.watch import GROUPS, Place, Watch

#: Promise of the design: the session timeout, and five seconds to take over.
BOUND_SECONDS = SESSION_SECONDS + 5.0
_LOOK_EVERY_SECONDS = 0.1
_PATIENCE_SECONDS = 60.0
_STOOD_STILL_SECONDS = 3.0
_ROUNDS = 2


async def drill(stack: ChaosStack, watch: Watch, service: str) -> float:
    """Kill instances of a service under load; return the longest standstill of a partition, in seconds.

    A standstill begins with the first unread record after the kill. If no partition stood still, the killed instance
    owned no partition with records to read: then the next instance is killed.
    """
    longest = 0.0
    for number in [*range(1, INSTANCES + 1)] * _ROUNDS:
        name = instance(service, number)
        await stack.kill(name)
        longest = max(longest, await _recovery(watch, group_of(service)))
        await stack.restart(name)
        if longest > _STOOD_STILL_SECONDS:
            break
    return longest


async def until_at_work(watch: Watch) -> None:
    """Wait until every group has committed an offset, so that all partitions have owners."""
    looks = watch.standstills
    for group in GROUPS:
        while not any(done for place, done in looks.committed.items() if place[0] == group):
            await asyncio.sleep(_LOOK_EVERY_SECONDS)


async def _recovery(watch: Watch, group: str) -> float:
    killed = time.monotonic()
    looks = watch.standstills
    before = dict(looks.committed)
    has_work: dict[Place, float] = {}
    moved: dict[Place, float] = {}
    # Until the remaining instance surely has all partitions, and has read from every partition with records.
    while time.monotonic() < killed + _PATIENCE_SECONDS:
        now = time.monotonic()
        for place, lag in looks.lags.items():
            if place[0] == group and lag > 0:
                has_work.setdefault(place, now)
            if place in has_work and looks.committed[place] > before[place]:
                moved.setdefault(place, now)
        if now > killed + SESSION_SECONDS + 1 and moved.keys() == has_work.keys():
            break
        await asyncio.sleep(_LOOK_EVERY_SECONDS)
    return max((moved.get(place, time.monotonic()) - since for place, since in has_work.items()), default=0.0)
