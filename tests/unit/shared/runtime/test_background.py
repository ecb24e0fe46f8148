from __future__ import annotations

import asyncio

from shared.runtime.background import Background
from shared.runtime.health import Health
from shared.runtime.metrics import RETRIES
from tests.support.metrics import MetricDelta
from tests.support.waiting import stays


async def test_work_is_repeated_and_survives_its_errors() -> None:
    done = asyncio.Event()
    runs = 0

    async def work() -> None:
        nonlocal runs
        runs += 1
        if runs == 1:
            raise ConnectionError("away")
        done.set()

    retries = MetricDelta(RETRIES, error="ConnectionError")
    background = Background(Health(60))
    background.every(0.01, work, "work")
    await background.start()
    await asyncio.wait_for(done.wait(), 5)
    await background.stop()
    assert retries.value == 1
    stopped_at = runs
    assert await stays(lambda: runs == stopped_at, seconds=0.05)  # five times the interval
