from __future__ import annotations

import asyncio

import pytest

from shared.runtime.fair_turns import FairTurns, QueueFull


class Stage:
    """Callers that hold their turn until the test ends it, on a clock that the test moves."""

    def __init__(self, size: int = 1, **bounds: int) -> None:
        self.now = 0.0
        self.turns = FairTurns(size, now=lambda: self.now, **bounds)
        self.begun: list[str] = []
        self._ends: dict[str, asyncio.Event] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def call(self, name: str, within: float = 1e9) -> None:
        """Ask for a turn; the operator is the first letter of the name."""
        self._ends[name] = asyncio.Event()
        self._tasks[name] = asyncio.create_task(self._hold(name, within))
        await _settled()

    async def end(self, name: str, after: float = 0.0) -> None:
        """End a turn."""
        assert name in self.begun
        self.now += after
        self._ends[name].set()
        await self._tasks[name]
        await _settled()

    def give_up(self, name: str) -> asyncio.Task[None]:
        """Cancel a caller."""
        self._tasks[name].cancel()
        return self._tasks[name]

    async def _hold(self, name: str, within: float) -> None:
        async with self.turns.turn(name[0], within=within):
            self.begun.append(name)
            await self._ends[name].wait()


async def test_turns_are_bounded_and_go_to_callers_in_order() -> None:
    stage = Stage(size=2)
    for name in ("a1", "a2", "a3", "a4"):
        await stage.call(name)
    assert stage.begun == ["a1", "a2"]
    await stage.end("a2")
    await stage.end("a1")
    assert stage.begun == ["a1", "a2", "a3", "a4"]


async def test_the_operator_served_least_is_next() -> None:
    stage = Stage()
    for name in ("a1", "a2", "a3", "b1", "b2"):
        await stage.call(name)
    await stage.end("a1", after=5)
    await stage.end("b1", after=2)
    await stage.end("b2", after=1)
    await stage.end("a2", after=1)
    assert stage.begun == ["a1", "b1", "b2", "a2", "a3"]


async def test_the_nearest_deadline_is_first_among_equals() -> None:
    stage = Stage()
    await stage.call("a1")
    await stage.call("b1", within=9)
    await stage.call("c1", within=5)
    await stage.call("c2", within=3)
    for name in ("a1", "c2", "b1", "c1"):
        await stage.end(name, after=1)
    assert stage.begun == ["a1", "c2", "b1", "c1"]


async def test_an_operator_that_arrives_gains_nothing_by_its_absence() -> None:
    stage = Stage()
    await stage.call("a1")
    await stage.call("a2")
    await stage.end("a1", after=1000)
    for name in ("a3", "b1", "b2", "b3"):
        await stage.call(name)
    for name in ("a2", "b1", "a3", "b2"):
        await stage.end(name, after=1)
    assert stage.begun == ["a1", "a2", "b1", "a3", "b2", "b3"]


async def test_a_long_past_is_a_debt_of_a_minute() -> None:
    stage = Stage(size=3)
    for name in ("a1", "a2", "b1"):
        await stage.call(name)
    stage.now = 1000  # a was served 2,000 seconds, b 1,000
    for name in ("a1", "a2"):
        await stage.end(name)
    for name in ("b2", "b3", "b4", "a3"):
        await stage.call(name)
    await stage.end("b1", after=21)  # b has three turns, and was served 63 seconds more
    assert stage.begun[5:] == ["a3"]


async def test_an_operator_has_at_most_its_share_of_turns() -> None:
    stage = Stage(size=3, most_each=2)
    for name in ("a1", "a2", "a3"):
        await stage.call(name)
    assert stage.begun == ["a1", "a2"]
    await stage.call("b1")
    assert stage.begun == ["a1", "a2", "b1"]
    await stage.end("a1")
    assert stage.begun[3:] == ["a3"]


async def test_a_full_queue_is_the_queue_of_its_operator() -> None:
    stage = Stage(most_waiting=1)
    await stage.call("a1")
    await stage.call("a2")
    with pytest.raises(QueueFull):
        async with stage.turns.turn("a"):
            pass
    await stage.call("b1")
    await stage.end("a1", after=1)
    assert stage.begun == ["a1", "b1"]


async def test_a_caller_that_gives_up_leaves_its_place_in_the_queue() -> None:
    stage = Stage()
    for name in ("a1", "a2", "b1"):
        await stage.call(name)
    stage.give_up("b1")
    await stage.end("a1", after=1)
    assert stage.begun == ["a1", "a2"]


async def test_a_turn_that_comes_as_its_caller_gives_up_goes_to_the_next() -> None:
    stage = Stage()
    for name in ("a1", "b1", "c1"):
        await stage.call(name)
    stage.give_up("a1")
    await asyncio.sleep(0)  # the turn is handed to b1, whose task has not run yet
    stage.give_up("b1")
    await _settled()
    assert stage.begun == ["a1", "c1"]


async def test_a_turn_skips_a_cancelled_caller_whose_task_is_still_to_run() -> None:
    stage = Stage()
    for name in ("a1", "b1", "c1"):
        await stage.call(name)
    stage.give_up("a1")
    stage.give_up("b1")
    await _settled()
    assert stage.begun == ["a1", "c1"]


async def test_a_caller_that_gave_up_takes_no_room_in_the_queue() -> None:
    stage = Stage(most_waiting=2)
    for name in ("a1", "a2", "a3"):
        await stage.call(name)
    stage.give_up("a3")
    await _settled()
    await stage.call("a4")
    for name in ("a1", "a2", "a4"):
        await stage.end(name)


async def test_no_turn_within_the_given_time_is_a_time_out() -> None:
    stage = Stage()
    await stage.call("a1")
    with pytest.raises(TimeoutError):
        async with stage.turns.turn("b", within=0.001):
            pass
    await stage.call("c1")
    await stage.end("a1")
    assert stage.begun == ["a1", "c1"]


async def test_an_error_in_a_turn_ends_it() -> None:
    turns = FairTurns(1)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            async with turns.turn("a"):
                raise ZeroDivisionError


async def _settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_an_operator_has_room_until_its_queue_is_full() -> None:
    turns = FairTurns(2, most_each=1, most_waiting=1)
    assert turns.has_room("op")
    async with turns.turn("op"):
        assert turns.has_room("op")
        waiting = asyncio.ensure_future(turns.turn("op").__aenter__())
        await asyncio.sleep(0)
        assert not turns.has_room("op")
        assert turns.has_room("other")
        waiting.cancel()
        await asyncio.wait([waiting])
        assert turns.has_room("op")
