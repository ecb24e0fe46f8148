"""Poison of an operator: it never stops the records of another operator, and its own stop ends by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from shared.contract.topics import MATCH_REQUEST
from shared.runtime.health import NotReady
from shared.runtime.metrics import DEAD_LETTER_STOP
from tests.simulation.loop import quietly, run_virtually
from tests.support.lane_run import LaneRun, Sent
from tests.support.metrics import metric_value

#: Virtual seconds: of the window of a budget, and of a delay that a neighbour may see.
WINDOW, USUAL = 600, 15
BOUNDS = {"batch_max_records": 200, "open_records": 2000, "lanes_at_work": 16, "dead_letter_budget": 100}


def play(scene: Callable[[LaneRun], Awaitable[None]]) -> None:
    """Play an attack on a process; all editions share a partition."""

    async def main() -> None:
        run = LaneRun(1, partitions=1, **BOUNDS)
        await run.start()
        await scene(run)
        assert run.witness.broken == []

    with quietly(1):
        run_virtually(main)


async def wait_for(run: LaneRun, *sent: Sent) -> None:
    """Send records, and wait the usual time for their end."""
    places = {run.send(record) for record in sent}
    for _ in range(USUAL):
        await asyncio.sleep(1)
        if places <= run.witness.ended:
            return
    pytest.fail(f"not handled within {USUAL} s: {sorted(places - run.witness.ended)}")


def letters(run: LaneRun) -> int:
    return len(run.kafka.records(MATCH_REQUEST.name + ".dlq"))


@pytest.mark.parametrize("kind", ["poison", "bug"])
def test_115_bad_records_of_an_operator_leave_the_others_alone_and_end_by_themselves(kind: str) -> None:
    async def scene(run: LaneRun) -> None:
        for _ in range(115):
            run.send(Sent("a1", kind))
        after = run.send(Sent("a1"))
        await asyncio.sleep(WINDOW / 2)
        assert letters(run) == 100
        assert list(run.processes[0][1]._dead_letters.held()) == ["a"]
        assert metric_value(DEAD_LETTER_STOP) == 1
        await run.processes[0][1].check()
        await wait_for(run, Sent("b1"), Sent("a2"))  # another operator; a faultless edition of the same operator
        await wait_for(run, Sent("b1", kind), Sent("b1"))  # the budget of another operator is its own
        assert after not in run.witness.handled
        assert await run.until_committed(2 * WINDOW)
        assert letters(run) == 116
        assert after in run.witness.handled
        assert metric_value(DEAD_LETTER_STOP) == 0

    play(scene)


def test_115_undecodable_records_leave_faultless_editions_alone_and_end_by_themselves() -> None:
    async def scene(run: LaneRun) -> None:
        for _ in range(115):
            run.send(Sent("a1", "undecodable"))
        await asyncio.sleep(WINDOW / 2)
        await wait_for(run, Sent("b1"), Sent("a2"))
        assert await run.until_committed(2 * WINDOW)
        assert letters(run) == 115

    play(scene)


def test_three_held_operators_make_the_service_suspect() -> None:
    async def scene(run: LaneRun) -> None:
        for number in range(3 * 101):
            run.send(Sent(f"{'abc'[number % 3]}1", "bug"))
        await asyncio.sleep(WINDOW / 2)
        with pytest.raises(NotReady, match="3 operators"):
            await run.processes[0][1].check()
        assert await run.until_committed(2 * WINDOW)
        await run.processes[0][1].check()

    play(scene)


def test_a_hold_loses_nothing_when_the_process_is_restarted() -> None:
    async def scene(run: LaneRun) -> None:
        for _ in range(115):
            run.send(Sent("a1", "poison"))
            run.send(Sent("b1"))
        await asyncio.sleep(WINDOW / 2)
        await run.stop(0)
        await run.start()
        assert await run.until_committed(2 * WINDOW)
        assert run.witness.ended == run.witness.sent.keys()

    play(scene)
