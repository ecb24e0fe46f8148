"""A scheduler on servers in memory, a solver that the test controls, and a clock that the test sets."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from services.scheduler.app import assemble
from services.scheduler.domain.improvement.problem import Solution, SolverProblem
from services.scheduler.settings import Settings
from services.scheduler.solver.effort import Effort
from services.scheduler.solver.improve import improve
from services.scheduler.solver.pool import SolverBusy, SolverFailed
from shared.contract.events import AffinityScored, AgendaChanged, Event
from shared.contract.ids import pair_id
from shared.messaging.inputs import Input, Position
from tests.support.scheduler_editions import NOW
from tests.support.servers import Servers

SETTINGS = Settings(
    internal_token="t0ken",
    improve_every_seconds=0.02,
    snapshot_every=3,
    quiet_seconds=2,
    announce_seconds=10,
    change_budget=3,
    improve_rounds=1,
    improve_round_effort=0.01,
    improve_steps=200,
)


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
    async def turn(self, operator_id: str, within: float) -> AsyncIterator[None]:
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

    def __init__(self, servers: Servers | None = None, editions_in_memory: int = 500) -> None:
        self.seconds = 0.0
        self.offset = 0
        #: Kafka and MongoDB; a restarted process gets those of the process before.
        self.servers = servers or Servers()
        infrastructure = self.servers.infrastructure(self.now, lambda: self.seconds)
        self.solver = ControlledSolver()
        settings = SETTINGS.model_copy(update={"editions_in_memory": editions_in_memory})
        wired = assemble(settings, infrastructure, self.solver)
        self.runtime, self.journal = wired.runtime, wired.journal
        self.scheduler, self.improver = wired.scheduler, wired.scheduler.improver

    @property
    def sent(self) -> list[Event]:
        """The published events, in order."""
        return self.servers.published

    def now(self) -> datetime:
        return NOW

    async def consume(self, *events: Event, edition_id: str = "ed") -> list[Event]:
        before = len(self.sent)
        await self.scheduler.consume(edition_id, [self.input(event) for event in events])
        return self.sent[before:]

    def input(self, event: Event) -> Input:
        self.offset += 1
        return Input(event, Position("affinity.v1", 0, self.offset))

    async def later(self, seconds: float) -> list[Event]:
        before = len(self.sent)
        self.seconds += seconds
        await self.improver.improve_quiet_editions()
        return self.sent[before:]


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
