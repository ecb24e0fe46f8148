"""A thousand published editions of ITECAM's size in one scheduler: memory, what a change takes, what loading one takes.

The scheduler is the service's own, journal and all, on SecantusDB; what it says is encoded and goes nowhere. Changes
come one at a time, each for an edition drawn uniformly or by Zipf's law; `late` is how late the event loop comes to a
task that wants it every 5 ms. Database, scheduler and the processes that improve share the machine's cores.
`--editions 50` makes fewer of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import math
import multiprocessing
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import accumulate, repeat
from pathlib import Path
from random import Random
from typing import Any

from pydantic import SecretStr

from bench.instances.editions import ITECAM, synthetic
from bench.instances.renamed import renamed
from bench.instances.stream import late_changes, published
from bench.scheduler import resident_bytes
from deploy.embedded import programs
from deploy.embedded.probes import free_ports
from deploy.embedded.supervisor import Supervisor
from services.scheduler.aggregate import AgendaAggregate, announcing, telling
from services.scheduler.domain.changes import Change
from services.scheduler.domain.problem import Problem, Solution
from services.scheduler.domain.state import AgendaState
from services.scheduler.service import Pace, Scheduler
from services.scheduler.settings import Settings
from services.scheduler.solver.effort import Effort
from services.scheduler.solver.pool import SolverPool
from shared.background import Background
from shared.cloudevents import Record, decode, encode, pack, unpack
from shared.consumer import Input, Position
from shared.events import Event
from shared.health import Health
from shared.journal import Journal, JournalStore
from shared.journal_store import MongoJournalStore
from shared.mongo import Mongo

Row = dict[str, object]
#: The changes that are to come, as records, by edition.
Ahead = Mapping[str, Sequence[Record]]

#: Changes an edition has had since it was published, and those of one measurement, over all editions.
_BEFORE, _STREAM = 10, 1_000
_FEW_IN_MEMORY = 100
_PROBE_SECONDS = 0.005
_QUIET_SECONDS = 0.5
#: What workers take to start: they load OR-Tools and compiled code.
_WARM_UP_SECONDS = 10
_SEED = 2018


def run(data: Path | None, editions: str = "1000") -> list[Row]:  # noqa: ARG001 - every benchmark is offered the data
    """The rows: how the editions were made and what they take; then the streams of changes."""
    return asyncio.run(_on_a_database(int(editions)))


async def _on_a_database(count: int) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        async with _Database(Path(folder)) as database:
            return await database.unless_crashed(asyncio.to_thread(_rows, database.url, count))


class _Database(Supervisor):
    def __init__(self, root: Path) -> None:
        super().__init__(root)
        [self._port] = free_ports(1)
        self.url = programs.secantus_url(self._port)

    async def start(self) -> None:
        await self.launch(programs.secantus(self._port, self.data / "mongo"))


def _rows(url: str, count: int) -> list[Row]:
    spawn, started = multiprocessing.get_context("spawn"), time.perf_counter()
    with ProcessPoolExecutor(2, spawn) as pool:
        ahead = dict(pool.map(_make, range(count), repeat(url)))
    rows: list[Row] = [{"measure": "make them", "editions": count, "seconds": round(time.perf_counter() - started)}]
    for part in (_all_in_memory, _few_in_memory):
        with ProcessPoolExecutor(1, spawn) as pool:  # a process of its own, so that its memory is, too
            rows += pool.submit(_in_a_loop, part, url, ahead).result()
    return rows


def _in_a_loop(part: Callable[[str, Ahead], Coroutine[None, None, list[Row]]], url: str, ahead: Ahead) -> list[Row]:
    gc.set_threshold(20_000, 20, 20)  # as `shared.app.serve` has it
    return asyncio.run(part(url, ahead))


async def _all_in_memory(url: str, ahead: Ahead) -> list[Row]:
    async with _Subject.on(url, ahead, in_memory=len(ahead)) as subject:
        for edition_id in ahead:
            await subject.load(edition_id)
        rows: list[Row] = [{**subject.memory("all loaded"), **_spread("load", subject.loads)}]
        rows.append(await subject.stream("changes, all in memory"))
        rows += [await subject.stream(f"  while {workers} improve", workers=workers) for workers in (1, 2)]
        return [*rows, subject.memory("all, after that")]


async def _few_in_memory(url: str, ahead: Ahead) -> list[Row]:
    rows: list[Row] = []
    for law, exponent in (("uniform", 0.0), ("Zipf", 1.0)):
        async with _Subject.on(url, ahead, in_memory=_FEW_IN_MEMORY) as subject:
            rows.append(await subject.stream(f"changes, {_FEW_IN_MEMORY} in memory, {law}", exponent))
            rows.append({**subject.memory(f"  memory of {_FEW_IN_MEMORY}"), **_spread("load", subject.loads)})
    return rows


def _make(number: int, url: str) -> tuple[str, list[Record]]:
    return asyncio.run(_journalled(number, url))


async def _journalled(number: int, url: str) -> tuple[str, list[Record]]:
    """Journal an edition as a scheduler does that hears of it in batches; returns its id and changes to come."""
    instance = synthetic(ITECAM, number)
    events = [renamed(event, number) for event in (*instance.events, published(instance))]
    later = [renamed(change.event, number) for change in late_changes(instance, _BEFORE + _STREAM // 10)]
    edition_id, most = events[0].edition_id, Settings().batch_max_records
    async with _store(url) as store:
        journal = _TimedJournal(store, in_memory=1)
        for at in range(0, len(events), most):
            await journal.take(edition_id, [_input(event) for event in events[at : at + most]])
        await journal.transact(edition_id, announcing)
        while (state := await journal.read(edition_id)).untold_pairs or state.untold_participants:
            await journal.transact(edition_id, telling)
        for event in later[:_BEFORE]:
            await journal.take(edition_id, [_input(event)])
    return edition_id, [encode(event) for event in later[_BEFORE:]]


class _Subject:
    """The scheduler of all these editions."""

    def __init__(self, store: JournalStore, ahead: Ahead, in_memory: int) -> None:
        self._ahead = {edition_id: iter(records) for edition_id, records in ahead.items()}
        self._in_memory = in_memory
        self._random = Random(_SEED)
        gc.collect()
        self._bytes = resident_bytes()
        self._journal = _TimedJournal(store, in_memory)

    @classmethod
    @contextlib.asynccontextmanager
    async def on(cls, url: str, ahead: Ahead, in_memory: int) -> AsyncIterator[_Subject]:
        async with _store(url) as store:
            yield cls(store, ahead, in_memory)

    @property
    def loads(self) -> list[float]:
        """The seconds each load took in the last stream, or before it."""
        return self._journal.loads

    async def load(self, edition_id: str) -> None:
        """Have an edition in memory."""
        await self._journal.read(edition_id)

    def memory(self, measure: str) -> Row:
        """What is taken beyond the interpreter, the libraries, and the changes to come."""
        gc.collect()
        taken = resident_bytes() - self._bytes
        return {"measure": measure, "MB": round(taken / 2**20), "kB_an_edition": round(taken / 1024 / self._in_memory)}

    async def stream(self, measure: str, exponent: float = 0.0, workers: int = 0) -> Row:
        """Changes one after the other; an edition is drawn by its rank to the power of `-exponent`."""
        pool, seconds = _CountingPool(max(workers, 1)), []
        pace = Pace(_QUIET_SECONDS, Settings().announce_seconds, Settings().change_budget, Settings().effort)
        scheduler = Scheduler(self._journal, pool, pace)
        self._journal.loads.clear()
        async with _improving(scheduler, pool, workers), _lateness() as late:
            started, cpu = time.perf_counter(), time.process_time()
            for record in self._draw(exponent):
                began = time.perf_counter()
                event = decode(record.headers, record.value)
                await scheduler.take(event.edition_id, [_input(event)])
                seconds.append(time.perf_counter() - began)
            took, cpu = time.perf_counter() - started, time.process_time() - cpu
        return {
            "measure": measure,
            "changes_a_s": round(len(seconds) / took),
            "cpu_ms_each": round(1000 * cpu / len(seconds), 1),
            **_spread("change", seconds),
            **_spread("late", late),
            "hit_rate": round(1 - len(self.loads) / len(seconds), 3),
            "improved_a_s": round(pool.solved / took, 2),
        }

    def _draw(self, exponent: float) -> Iterator[Record]:
        editions = list(self._ahead)
        weights = list(accumulate((rank + 1) ** -exponent for rank in range(len(editions))))
        for edition_id in self._random.choices(editions, cum_weights=weights, k=_STREAM):
            record = next(self._ahead[edition_id], None)
            if record is not None:
                yield record


class _TimedJournal(Journal[AgendaState, Change, Event]):
    """Notes the seconds that each load took: of the database, of reading the snapshot and of folding entries."""

    def __init__(self, store: JournalStore, in_memory: int) -> None:
        super().__init__(
            AgendaAggregate(),
            store,
            _Encoded(),
            snapshot_every=Settings().snapshot_every,
            editions_in_memory=in_memory,
        )
        self.loads: list[float] = []

    async def _fetch(self, edition_id: str) -> Any:  # noqa: ANN401 - it is the journal's own
        started = time.perf_counter()
        loaded = await super()._fetch(edition_id)
        self.loads.append(time.perf_counter() - started)
        return loaded


class _Encoded:
    """Encodes what is said, and sends it nowhere."""

    def pack(self, message: Event) -> dict[str, Any]:
        return pack(message)

    async def send(self, packed: Sequence[dict[str, Any]]) -> None:
        for event in packed:
            unpack(event)


class _CountingPool(SolverPool):
    def __init__(self, size: int) -> None:
        super().__init__(size, Settings().improve_deadline_seconds)
        self.solved = 0

    async def solve(self, problem: Problem, effort: Effort, within: float = math.inf) -> Solution:
        solution = await super().solve(problem, effort, within)
        self.solved += 1
        return solution


@contextlib.asynccontextmanager
async def _improving(scheduler: Scheduler, pool: SolverPool, workers: int) -> AsyncIterator[None]:
    """Have what is quiet improved meanwhile, all editions at first, as after a start."""
    if not workers:
        yield
        return
    scheduler.take_share(lambda _: True)
    background = Background(Health(600))
    background.every(Settings().improve_every_seconds, scheduler.improve_quiet_editions, "improve")
    await background.start()
    await asyncio.sleep(_WARM_UP_SECONDS)
    try:
        yield
    finally:
        await background.stop()
        await scheduler.stop()
        await pool.stop()


@contextlib.asynccontextmanager
async def _lateness() -> AsyncIterator[list[float]]:
    """How late a task is woken that sleeps for 5 ms at a time, in seconds."""
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


@contextlib.asynccontextmanager
async def _store(url: str) -> AsyncIterator[MongoJournalStore]:
    mongo = Mongo(Settings(mongo_url=SecretStr(url)))
    store = MongoJournalStore(mongo.database(Settings().database))
    await store.prepare()
    try:
        yield store
    finally:
        await mongo.close()


def _input(event: Event) -> Input:
    return Input(event, Position("", 0, 0))


def _spread(name: str, seconds: Sequence[float]) -> Row:
    """Milliseconds of the middle, of one in a hundred, and of the slowest."""
    ordered = sorted(seconds) or [math.nan]
    at = {"p50": len(ordered) // 2, "p99": len(ordered) * 99 // 100, "max": len(ordered) - 1}
    return {f"{name}_{share}_ms": round(1000 * ordered[place], 1) for share, place in at.items()}
