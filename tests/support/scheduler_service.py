"""A scheduler with its journal in memory, a solver that the test controls, and a clock that the test sets."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from services.scheduler.aggregate import AgendaAggregate
from services.scheduler.domain.improvement.problem import Solution, SolverProblem
from services.scheduler.improver import Improver, Pace
from services.scheduler.service import Scheduler
from services.scheduler.solver.effort import Effort
from services.scheduler.solver.improve import improve
from services.scheduler.solver.pool import SolverBusy, SolverFailed
from shared.contract.cloudevents import decode, pack, unpack
from shared.contract.events import AffinityScored, AgendaChanged, Event
from shared.contract.ids import pair_id
from shared.messaging.inputs import Input, Position
from shared.storage.journal import Journal
from shared.storage.journal_entry import StateSnapshot
from shared.storage.journal_store import InMemoryJournalStore
from tests.support.scheduler_editions import (
    NOW,
)

EFFORT = Effort(rounds=1, round_effort=0.01, steps=200)


class Outlet:
    """An outlet that keeps the events sent."""

    def __init__(self) -> None:
        self.sent: list[Event] = []

    def pack(self, message: Event) -> dict[str, Any]:
        return pack(message)

    async def send(self, packed: Sequence[dict[str, Any]]) -> None:
        records = [unpack(each) for each in packed]
        self.sent += [decode(record.headers, record.value) for record in records]


class CountingStore(InMemoryJournalStore):
    """A journal store that counts the reads of editions."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0

    async def snapshot(self, edition_id: str) -> StateSnapshot | None:
        self.reads += 1
        return await super().snapshot(edition_id)


class ControlledSolver:
    """A solver in this process. The test may let it fail, and delay its start and its end."""

    def __init__(self) -> None:
        self.fails = False
        self.leave = asyncio.Event()
        self.leave.set()
        self.finish = asyncio.Event()
        self.finish.set()
        self.asked = 0
        self.in_line = 0
        self.within: list[float] = []

    @asynccontextmanager
    async def turn(self, within: float) -> AsyncIterator[None]:
        self.within.append(within)
        if within < math.inf and not self.leave.is_set():
            raise SolverBusy
        self.in_line += 1
        await self.leave.wait()
        self.in_line -= 1
        yield

    async def solve(self, problem: SolverProblem, effort: Effort, within: float) -> Solution:
        self.asked += 1
        await self.finish.wait()
        if self.fails:
            raise SolverFailed("on purpose")
        return improve(problem, effort)


class SchedulerHarness:
    """A scheduler with a clock that the test sets."""

    def __init__(self, store: CountingStore | None = None, editions_in_memory: int = 500) -> None:
        self.store = store or CountingStore()
        self.outlet = Outlet()
        self.solver = ControlledSolver()
        self.seconds = 0.0
        self.offset = 0
        self.journal = Journal(
            AgendaAggregate(),
            self.store,
            self.outlet,
            self.now,
            snapshot_every=3,
            editions_in_memory=editions_in_memory,
        )
        pace = Pace(quiet_seconds=2, announce_seconds=10, change_budget=3, effort=EFFORT)
        self.improver = Improver(self.journal, self.solver, pace, self.now, lambda: self.seconds)
        self.scheduler = Scheduler(self.journal, self.solver, self.improver, self.now)

    def now(self) -> datetime:
        return NOW

    async def consume(self, *events: Event, edition_id: str = "ed") -> list[Event]:
        before = len(self.outlet.sent)
        await self.scheduler.consume(edition_id, [self.input(event) for event in events])
        return self.outlet.sent[before:]

    def input(self, event: Event) -> Input:
        self.offset += 1
        return Input(event, Position("affinity.v1", 0, self.offset))

    async def later(self, seconds: float) -> list[Event]:
        before = len(self.outlet.sent)
        self.seconds += seconds
        await self.improver.improve_quiet_editions()
        return self.outlet.sent[before:]


def final(said: Sequence[Event]) -> list[str]:
    return sorted(each.participant_id for each in said if isinstance(each, AgendaChanged) and not each.provisional)


def of(edition_id: str, *events: Event) -> list[Event]:
    """The same events of another edition."""
    return [
        each.model_copy(
            update={"edition_id": edition_id}
            | ({"pair_id": pair_id(edition_id, *each.participant_ids)} if isinstance(each, AffinityScored) else {})
        )
        for each in events
    ]
