"""The measured parts of the scheduler: its journal, its outlet, its solver pool, and the delay of the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any

from services.scheduler.aggregate import AgendaAggregate
from services.scheduler.domain.changes import Change
from services.scheduler.domain.improvement.problem import Solution, SolverProblem
from services.scheduler.domain.state import AgendaState
from services.scheduler.improver import Improver
from services.scheduler.settings import Settings
from services.scheduler.solver.effort import Effort
from services.scheduler.solver.pool import SolverPool
from shared.contract.cloudevents import pack, unpack
from shared.contract.events import Event
from shared.messaging.inputs import Input, Position
from shared.runtime.background import Background
from shared.runtime.health import Health
from shared.storage.edition_cache import EditionCache, LoadedEdition
from shared.storage.journal import Journal
from shared.storage.journal_entry import JournalStore

_PROBE_SECONDS = 0.005
#: Seconds for the start of the solver's processes, which load OR-Tools and compiled code.
_WARM_UP_SECONDS = 10


class _TimedCache(EditionCache[AgendaState, Change, Event]):
    """A cache that measures its loads: seconds for the query, for parsing the snapshot and for folding entries."""

    def __init__(self, store: JournalStore, capacity: int) -> None:
        super().__init__(AgendaAggregate(), store, capacity)
        self.loads: list[float] = []

    async def fetch(self, edition_id: str) -> LoadedEdition[AgendaState]:
        started = time.perf_counter()
        loaded = await super().fetch(edition_id)
        self.loads.append(time.perf_counter() - started)
        return loaded


class TimedJournal(Journal[AgendaState, Change, Event]):
    """A journal that measures its loads, in seconds."""

    def __init__(self, store: JournalStore, in_memory: int) -> None:
        super().__init__(AgendaAggregate(), store, _Encoded(), snapshot_every=Settings().snapshot_every)
        cache = _TimedCache(store, in_memory)
        self._cache = cache
        self.loads = cache.loads


class _Encoded:
    """An outlet that encodes events, and sends them nowhere."""

    def pack(self, message: Event) -> dict[str, Any]:
        return pack(message)

    async def send(self, packed: Sequence[dict[str, Any]]) -> None:
        for event in packed:
            unpack(event)


class CountingPool(SolverPool):
    """A solver pool that counts its solutions."""

    def __init__(self, size: int) -> None:
        super().__init__(size, Settings().improve_deadline_seconds)
        self.solved = 0

    async def solve(self, problem: SolverProblem, effort: Effort, within: float = math.inf) -> Solution:
        solution = await super().solve(problem, effort, within)
        self.solved += 1
        return solution


@contextlib.asynccontextmanager
async def improving(improver: Improver, pool: SolverPool, workers: int) -> AsyncIterator[None]:
    """Improve quiet editions meanwhile, as after a start of the service, when all editions are quiet."""
    if not workers:
        yield
        return
    improver.on_assignment(lambda _: True)
    background = Background(Health(600))
    background.every(Settings().improve_every_seconds, improver.improve_quiet_editions, "improve")
    await background.start()
    await asyncio.sleep(_WARM_UP_SECONDS)
    try:
        yield
    finally:
        await background.stop()
        await improver.stop()
        await pool.stop()


@contextlib.asynccontextmanager
async def loop_delay() -> AsyncIterator[list[float]]:
    """Measure the delays, in seconds, of a task that sleeps for 5 ms at a time."""
    late: list[float] = []

    async def probe() -> None:
        while True:
            due = time.perf_counter() + _PROBE_SECONDS
            await asyncio.sleep(_PROBE_SECONDS)
            late.append(time.perf_counter() - due)

    probing = asyncio.create_task(probe())
    try:
        yield late
    finally:
        probing.cancel()


def input_of(event: Event) -> Input:
    """Return an event as an input of the journal, without a position."""
    return Input(event, Position("", 0, 0))
