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
import re
import tempfile
import time
from collections import ChainMap
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import accumulate, repeat
from pathlib import Path
from random import Random
from typing import Any

import orjson
from pydantic import SecretStr

from bench.instances.editions import ITECAM, synthetic
from bench.instances.renamed import edition_of, renamed
from bench.instances.stream import late_changes, published
from bench.scheduler import resident_bytes
from deploy.embedded import programs
from deploy.embedded.probes import free_ports
from deploy.embedded.supervisor import Supervisor
from services.scheduler.aggregate import AgendaAggregate, announcing, publishing
from services.scheduler.domain.changes import Change
from services.scheduler.domain.improvement.problem import Problem, Solution
from services.scheduler.domain.state import AgendaState
from services.scheduler.service import Pace, Scheduler
from services.scheduler.settings import Settings
from services.scheduler.solver.effort import Effort
from services.scheduler.solver.pool import SolverPool
from shared.contract.cloudevents import Record, decode, encode, pack, unpack
from shared.contract.events import Event
from shared.contract.ids import encounter_id, pair_id
from shared.messaging.inputs import Input, Position
from shared.runtime.background import Background
from shared.runtime.clock import utc_now
from shared.runtime.health import Health
from shared.storage.edition_cache import EditionCache, LoadedEdition
from shared.storage.journal import Journal
from shared.storage.journal_entry import Entry, JournalStore, StateSnapshot
from shared.storage.journal_store import InMemoryJournalStore, MongoJournalStore
from shared.storage.mongo import Mongo

Row = dict[str, object]
#: The changes that are to come, as records, by edition.
Ahead = Mapping[str, Sequence[Record]]

#: So many editions differ by more than their ids.
_TEMPLATES = 20
#: Changes an edition has had since it was published, those that are left for each part, and those of one stream, which
#: go to all editions.
_BEFORE, _AHEAD, _STREAM = 10, 10, 500
_IDS = re.compile(rb"(?:edn|pair|enc|bench)_[0-9a-f]{32}")
_FEW_IN_MEMORY = 100
_PROBE_SECONDS = 0.005
_QUIET_SECONDS = 0.5
#: What workers take to start: they load OR-Tools and compiled code.
_WARM_UP_SECONDS = 10
_SEED = 2018


def run(data: Path | None, editions: str = "1000") -> list[Row]:  # noqa: ARG001 - every benchmark is offered the data
    """The rows: how the editions were made and what they take; then the streams of changes, from cold where few fit."""
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
    alike = [range(first, count, _TEMPLATES) for first in range(min(count, _TEMPLATES))]
    with ProcessPoolExecutor(2, spawn) as pool:
        made = dict(ChainMap(*pool.map(_make, alike, repeat(url))))
    ahead = {edition_of(number): made[edition_of(number)] for number in range(count)}
    rows: list[Row] = [{"measure": "make them", "editions": count, "seconds": round(time.perf_counter() - started)}]
    for part in (_all_in_memory, _few_in_memory):
        with ProcessPoolExecutor(1, spawn) as pool:  # a process of its own, so that its memory is, too
            rows += pool.submit(_in_a_loop, part, url, ahead).result()
    return rows


def _in_a_loop(part: Callable[[str, Ahead], Coroutine[None, None, list[Row]]], url: str, ahead: Ahead) -> list[Row]:
    gc.set_threshold(20_000, 20, 20)  # as `shared.app.serve` has it
    gc.freeze()  # a service has no changes that are to come
    return asyncio.run(part(url, ahead))


async def _all_in_memory(url: str, ahead: Ahead) -> list[Row]:
    records = {edition_id: records[:_AHEAD] for edition_id, records in ahead.items()}
    async with _Subject.on(url, records, in_memory=len(ahead)) as subject:
        async with _lateness() as late:
            for edition_id in ahead:
                await subject.load(edition_id)
        loads = {**_spread("load", subject.loads), **_spread("late", late)}
        rows: list[Row] = [{**subject.memory("all loaded"), **loads}]
        rows.append(await subject.stream("changes, all in memory"))
        rows += [await subject.stream(f"  while {workers} improve", workers=workers) for workers in (1, 2)]
        return [*rows, subject.memory("all, after that")]


async def _few_in_memory(url: str, ahead: Ahead) -> list[Row]:
    rows: list[Row] = []
    for law, exponent, first, end in (("uniform", 0.0, _AHEAD, 2 * _AHEAD), ("Zipf", 1.0, 2 * _AHEAD, None)):
        records = {edition_id: records[first:end] for edition_id, records in ahead.items()}
        async with _Subject.on(url, records, in_memory=_FEW_IN_MEMORY) as subject:
            rows.append(await subject.stream(f"changes, {_FEW_IN_MEMORY} in memory, {law}", exponent))
            rows.append({**subject.memory("  in memory then"), **_spread("load", subject.loads)})
    return rows


@dataclass(frozen=True)
class _Template:
    """An edition that others are copies of, under ids of their own: its newest snapshot, and the entries since.

    `ids` are those that are made of others: of encounters and pairs, by the participants.
    """

    number: int
    snapshot: StateSnapshot
    entries: tuple[Entry, ...]
    pairs: Mapping[str, tuple[str, str]]
    changes: tuple[Event, ...]


def _make(numbers: Sequence[int], url: str) -> dict[str, list[Record]]:
    """Journal editions that are alike but for their ids; returns the changes that are to come."""
    return asyncio.run(_journalled(numbers, url))


async def _journalled(numbers: Sequence[int], url: str) -> dict[str, list[Record]]:
    template = await _template(numbers[0])
    async with _store(url) as store:
        for number in numbers:
            await _copy(template, number, store)
    return {
        edition_of(number): [encode(renamed(each, number)) for each in template.changes[: _changes_of(number)]]
        for number in numbers
    }


def _changes_of(number: int) -> int:
    """How many changes there are to be for an edition: more for the first, which Zipf's law prefers."""
    return 3 * _AHEAD + _STREAM // (2 * (number + 1))


async def _template(number: int) -> _Template:
    """Journalled as a scheduler does that hears of an edition in batches, and of some late changes one by one."""
    instance, store = synthetic(ITECAM, number), InMemoryJournalStore()
    events = [renamed(event, number) for event in (*instance.events, published(instance))]
    changes = tuple(change.event for change in late_changes(instance, _BEFORE + _changes_of(0)))
    journal, edition_id, most = _TimedJournal(store, in_memory=1), edition_of(number), Settings().batch_max_records
    for at in range(0, len(events), most):
        await journal.decide(edition_id, [_input(event) for event in events[at : at + most]])
    await journal.transact(edition_id, announcing)
    while (state := await journal.read(edition_id)).unpublished_pairs or state.unpublished_participants:
        await journal.transact(edition_id, publishing)
    for event in changes[:_BEFORE]:
        await journal.decide(edition_id, [_input(renamed(event, number))])
    snapshot = await store.snapshot(edition_id)
    assert snapshot is not None  # noqa: S101 - it is large enough for one
    entries = tuple(await store.entries(edition_id, after=snapshot.seq))
    pairs = {pair_id: pair.matched for pair_id, pair in (await journal.read(edition_id)).pairs.items()}
    return _Template(number, snapshot, entries, pairs, changes[_BEFORE:])


async def _copy(template: _Template, number: int, store: MongoJournalStore) -> None:
    """Write the template's journal as that of another edition: what a load does not read, it has no use for."""
    edition_id = edition_of(number)
    ids = {edition_of(template.number): edition_id}
    for pair, (one, other) in template.pairs.items():
        renamed_pair = one[:-12] + f"{number:012x}", other[:-12] + f"{number:012x}"
        ids[pair] = pair_id(edition_id, *renamed_pair)
        ids[encounter_id(edition_of(template.number), one, other)] = encounter_id(edition_id, *renamed_pair)

    def copied(text: bytes) -> bytes:
        return _IDS.sub(lambda found: _other_id(found[0].decode(), ids, number).encode(), text)

    first = Entry(edition_id, 1, utc_now(), {}, [], [], published=True)
    await store.append(first)
    await store.save_snapshot(StateSnapshot(edition_id, template.snapshot.seq, copied(template.snapshot.state)))
    for entry in template.entries:
        changes = orjson.loads(copied(orjson.dumps(entry.changes)))
        await store.append(replace(entry, edition_id=edition_id, changes=changes, outbox=[], published=True))


def _other_id(known: str, ids: Mapping[str, str], number: int) -> str:
    return ids.get(known) or known[:-12] + f"{number:012x}"


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
            started, cpu, solved = time.perf_counter(), time.process_time(), pool.solved
            for record in self._draw(exponent):
                began = time.perf_counter()
                event = decode(record.headers, record.value)
                await scheduler.consume(event.edition_id, [_input(event)])
                seconds.append(time.perf_counter() - began)
            took, cpu, improved = time.perf_counter() - started, time.process_time() - cpu, pool.solved - solved
        return {
            "measure": measure,
            "changes_a_s": round(len(seconds) / took),
            "cpu_ms_each": round(1000 * cpu / len(seconds), 1),
            **_spread("change", seconds),
            **_spread("late", late),
            "hit_rate": round(1 - len(self.loads) / len(seconds), 3),
            "improved_a_s": round(improved / took, 2),
        }

    def _draw(self, exponent: float) -> Iterator[Record]:
        editions = list(self._ahead)
        weights = list(accumulate((rank + 1) ** -exponent for rank in range(len(editions))))
        for edition_id in self._random.choices(editions, cum_weights=weights, k=min(_STREAM, 5 * len(editions))):
            record = next(self._ahead[edition_id], None)
            if record is not None:
                yield record


class _TimedCache(EditionCache[AgendaState, Change, Event]):
    """Notes the seconds of each load: reading the database, parsing the snapshot and folding entries."""

    def __init__(self, store: JournalStore, capacity: int) -> None:
        super().__init__(AgendaAggregate(), store, capacity)
        self.loads: list[float] = []

    async def fetch(self, edition_id: str) -> LoadedEdition[AgendaState]:
        started = time.perf_counter()
        loaded = await super().fetch(edition_id)
        self.loads.append(time.perf_counter() - started)
        return loaded


class _TimedJournal(Journal[AgendaState, Change, Event]):
    """A journal that notes the seconds of each load."""

    def __init__(self, store: JournalStore, in_memory: int) -> None:
        super().__init__(AgendaAggregate(), store, _Encoded(), snapshot_every=Settings().snapshot_every)
        cache = _TimedCache(store, in_memory)
        self._cache = cache
        self.loads = cache.loads


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
    scheduler.on_assignment(lambda _: True)
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
