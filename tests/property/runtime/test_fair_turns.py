"""Turns of random operators: bounded shares, no starvation, no free turn while a caller waits."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import hypothesis.strategies as st
from hypothesis import given

from shared.runtime.fair_turns import FairTurns

_OPERATORS = "abc"
_MOST_SECONDS = 4
#: What happens next, by turns: an operator calls, a turn ends, a caller gives up, time goes by.
_step = st.tuples(st.sampled_from(("call", "end", "give up")), st.integers(0, 9), st.integers(0, _MOST_SECONDS))


@dataclass
class Hall:
    """Callers of a `FairTurns`, and the events that end their turns."""

    size: int
    most_each: int
    now: float = 0.0
    begun: list[str] = field(default_factory=list)
    served: dict[str, float] = field(default_factory=lambda: dict.fromkeys(_OPERATORS, 0.0))
    holding: dict[asyncio.Task[None], str] = field(default_factory=dict)
    waiting: dict[asyncio.Task[None], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.turns = FairTurns(self.size, most_each=self.most_each, now=lambda: self.now)
        self._ends: dict[asyncio.Task[None], asyncio.Event] = {}

    async def call(self, operator_id: str) -> None:
        end = asyncio.Event()
        task = asyncio.create_task(self._hold(operator_id, end))
        self._ends[task], self.waiting[task] = end, operator_id
        await settled()

    async def end(self, task: asyncio.Task[None]) -> None:
        del self.holding[task]
        self._ends[task].set()
        await settled()

    async def give_up(self, task: asyncio.Task[None]) -> None:
        del self.waiting[task]
        task.cancel()
        await settled()

    def go_by(self, seconds: float) -> None:
        self.now += seconds
        for operator_id in self.holding.values():
            self.served[operator_id] += seconds

    async def close(self) -> None:
        for task in (*self.holding, *self.waiting):
            task.cancel()
        await asyncio.gather(*self.holding, *self.waiting, return_exceptions=True)

    async def _hold(self, operator_id: str, end: asyncio.Event) -> None:
        async with self.turns.turn(operator_id):
            task = asyncio.current_task()
            assert task is not None
            self.holding[task] = self.waiting.pop(task)
            self.begun.append(operator_id)
            await end.wait()


@given(st.integers(1, 3), st.integers(1, 3), st.lists(_step, max_size=40))
def test_turns_stay_within_their_bounds_and_are_never_idle(
    size: int, most_each: int, steps: list[tuple[str, int, int]]
) -> None:
    async def run() -> None:
        hall = Hall(size, most_each)
        for kind, choice, seconds in steps:
            tasks = list(hall.holding if kind == "end" else hall.waiting)
            if kind == "call":
                await hall.call(_OPERATORS[choice % 3])
            elif tasks:
                await (hall.end if kind == "end" else hall.give_up)(tasks[choice % len(tasks)])
            hall.go_by(seconds)
            counts = {operator_id: list(hall.holding.values()).count(operator_id) for operator_id in _OPERATORS}
            assert len(hall.holding) <= size
            assert max(counts.values()) <= most_each
            open_to = {operator_id for operator_id in hall.waiting.values() if counts[operator_id] < most_each}
            assert not open_to or len(hall.holding) == size
        await hall.close()

    asyncio.run(run())


@given(st.integers(1, 2), st.lists(st.integers(1, _MOST_SECONDS), min_size=30, max_size=60), st.integers(0, 20))
def test_operators_that_always_wait_are_served_alike(size: int, lengths: list[int], late: int) -> None:
    """From the late arrival of the third operator on, the times served differ by two turns at most."""

    async def run() -> None:
        hall = Hall(size, size)
        at_arrival: dict[str, float] = dict.fromkeys(_OPERATORS, 0.0)
        for number, seconds in enumerate(lengths):
            if number == late:
                at_arrival = dict(hall.served)
            for operator_id in _OPERATORS if number >= late else _OPERATORS[:2]:
                if operator_id not in hall.waiting.values():
                    await hall.call(operator_id)
            hall.go_by(seconds)
            await hall.end(next(iter(hall.holding)))
            assert number < late or set(_OPERATORS) <= {*hall.begun, *hall.waiting.values()}
        shares = [hall.served[operator_id] - at_arrival[operator_id] for operator_id in _OPERATORS]
        assert late >= len(lengths) or max(shares) - min(shares) <= 2 * size * _MOST_SECONDS
        await hall.close()

    asyncio.run(run())


@given(st.lists(st.integers(1, _MOST_SECONDS), min_size=12, max_size=30))
def test_a_flood_of_callers_delays_a_new_operator_by_a_turn(lengths: list[int]) -> None:
    async def run() -> None:
        hall = Hall(1, 1)
        for _ in range(len(lengths) + 1):
            await hall.call("a")
        for seconds in lengths:
            await hall.call("b")
            hall.go_by(seconds)
            await hall.end(next(iter(hall.holding)))
            assert hall.begun[-1] == "b"
            await hall.end(next(iter(hall.holding)))
        await hall.close()

    asyncio.run(run())


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)
