"""Lanes in virtual time: a slow, failing or held edition delays itself only."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from shared.runtime.metrics import LANES, OLDEST_OPEN_SECONDS, OPEN_RECORDS
from tests.simulation.loop import quietly, run_virtually
from tests.support.lane_run import LaneRun, Place, Sent
from tests.support.metrics import metric_value

#: Bounds of production, and one partition for all editions.
PRODUCTION = {"batch_max_records": 200, "open_records": 2000, "lanes_at_work": 16, "dead_letter_budget": 100}
#: The delay of a neighbour that a person would notice, with the longest latency of the broker in memory.
USUAL_SECONDS = 15.0


def play(scene: Callable[[LaneRun], Awaitable[None]], **settings: Any) -> LaneRun:
    """Play a scene with a process, and check the promises of the consumer."""

    async def main() -> LaneRun:
        run = LaneRun(1, partitions=1, **PRODUCTION | settings)
        await run.start()
        await scene(run)
        return run

    with quietly(1):
        run = run_virtually(main)
    assert run.witness.broken == []
    assert run.kafka.escaped == []
    return run


def delay(run: LaneRun, place: Place) -> float:
    """Return the time from sending a record to the end of its handling."""
    [sent_at] = [r.timestamp / 1000 for r in run.kafka.records("match-request.v1") if r.offset == place[1]]
    return run.witness.finished_at[place] - float(sent_at)


def test_a_slow_edition_leaves_its_neighbour_at_the_usual_latency() -> None:
    neighbours: list[Place] = []

    async def scene(run: LaneRun) -> None:
        run.send(Sent("a1", seconds=300))
        for _ in range(10):
            neighbours.append(run.send(Sent("b1")))
            run.send(Sent("a1"))
            await asyncio.sleep(1)
        assert await run.until_committed(2000)

    run = play(scene)
    assert max(delay(run, place) for place in neighbours) < USUAL_SECONDS


def test_a_slow_edition_with_many_records_leaves_them_in_kafka() -> None:
    neighbours: list[Place] = []
    most: list[int] = []

    async def scene(run: LaneRun) -> None:
        run.send(Sent("a1", seconds=300))
        await asyncio.sleep(10)
        for number in range(500):
            run.send(Sent("a1"))
            if number % 50 == 0:
                neighbours.append(run.send(Sent("b1")))
                await asyncio.sleep(1)
                most.append(open_records(run))
        assert await run.until_committed(3000)

    run = play(scene, open_records=200, batch_max_records=20)
    assert run.witness.ended == run.witness.sent.keys()
    assert max(delay(run, place) for place in neighbours) < USUAL_SECONDS
    assert max(most) <= 200 + 20


def test_slow_editions_of_one_operator_leave_half_of_the_turns_to_the_others() -> None:
    neighbours: list[Place] = []

    async def scene(run: LaneRun) -> None:
        for number in range(40):
            run.send(Sent(f"a{number}", seconds=300))
        await asyncio.sleep(10)
        neighbours.append(run.send(Sent("b1")))
        assert await run.until_committed(5000)

    run = play(scene)
    assert max(delay(run, place) for place in neighbours) < USUAL_SECONDS


def test_a_transient_error_of_an_edition_delays_this_edition_only() -> None:
    neighbours: list[Place] = []

    async def scene(run: LaneRun) -> None:
        run.send(Sent("a1", away=30))
        for _ in range(10):
            neighbours.append(run.send(Sent("b1")))
            await asyncio.sleep(5)
        assert await run.until_committed(5000)

    run = play(scene)
    assert run.witness.ended == run.witness.sent.keys()
    assert max(delay(run, place) for place in neighbours) < USUAL_SECONDS


def test_fetching_stops_at_the_most_open_records_and_goes_on() -> None:
    most: list[int] = []

    async def scene(run: LaneRun) -> None:
        for number in range(600):
            run.send(Sent(f"{'abcdef'[number % 6]}{number % 60}", seconds=0.5))
        committed = asyncio.create_task(run.until_committed(500))
        while not committed.done():
            most.append(open_records(run))
            await asyncio.sleep(0.05)
        assert committed.result()

    run = play(scene, open_records=100, batch_max_records=20)
    assert run.witness.handled == run.witness.sent.keys()
    assert 100 <= max(most) <= 120


def test_open_records_lanes_and_the_oldest_record_are_measured() -> None:
    async def scene(run: LaneRun) -> None:
        run.send(Sent("a1", seconds=300))
        await asyncio.sleep(20)
        run.send(Sent("a1"))
        run.send(Sent("b1", seconds=100))
        await asyncio.sleep(50)
        assert metric_value(OPEN_RECORDS) == 3
        assert metric_value(LANES) == 2
        assert metric_value(OLDEST_OPEN_SECONDS) == pytest.approx(70, abs=USUAL_SECONDS)
        assert await run.until_committed(2000)
        assert metric_value(OPEN_RECORDS) == 0
        assert metric_value(OLDEST_OPEN_SECONDS) == 0

    play(scene)


def open_records(run: LaneRun) -> int:
    lanes = run.processes[0][1]._lanes
    return lanes.open_records if lanes is not None else 0
