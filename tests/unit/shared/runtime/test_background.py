from __future__ import annotations

import asyncio
import time

from shared.runtime.background import Background, measure_loop
from shared.runtime.health import Health
from shared.runtime.metrics import LOOP_LAG_SECONDS, RETRIES
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


async def test_a_computation_on_the_loop_shows_as_its_lag() -> None:
    lags = MetricDelta(LOOP_LAG_SECONDS)

    def lag_of_all() -> float:
        [family] = LOOP_LAG_SECONDS.collect()
        return sum(sample.value for sample in family.samples if sample.name.endswith("_sum"))

    before, measuring = lag_of_all(), asyncio.create_task(measure_loop())
    await asyncio.sleep(0)
    time.sleep(0.2)  # noqa: ASYNC251 - holds the loop on purpose
    await measuring
    assert lags.value == 1
    assert lag_of_all() - before > 0.1
