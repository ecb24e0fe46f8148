"""The scheduler of many editions, and the streams of changes that are measured on it."""

from __future__ import annotations

import contextlib
import gc
import math
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from itertools import accumulate
from random import Random

from bench.editions.measured import CountingPool, TimedJournal, improving, input_of, loop_delay
from bench.editions.templates import STREAM, open_store
from bench.scheduler import resident_bytes
from services.scheduler.improver import Improver, Pace
from services.scheduler.remedy_seeker import RemedySeeker
from services.scheduler.service import Scheduler
from services.scheduler.settings import Settings
from shared.contract.cloudevents import Record, decode
from shared.runtime.clock import utc_now
from shared.storage.journal_entry import JournalStore

Row = dict[str, object]
#: The late changes of the editions, as records by edition id.
Ahead = Mapping[str, Sequence[Record]]

_QUIET_SECONDS = 0.5
_SEED = 2018


class ManyEditions:
    """The scheduler of many editions."""

    def __init__(self, store: JournalStore, ahead: Ahead, in_memory: int) -> None:
        self._ahead = {edition_id: iter(records) for edition_id, records in ahead.items()}
        self._in_memory = in_memory
        self._random = Random(_SEED)
        gc.collect()
        self._bytes = resident_bytes()
        self._journal = TimedJournal(store, in_memory)

    @classmethod
    @contextlib.asynccontextmanager
    async def on(cls, url: str, ahead: Ahead, in_memory: int) -> AsyncIterator[ManyEditions]:
        async with open_store(url) as store:
            yield cls(store, ahead, in_memory)

    @property
    def loads(self) -> list[float]:
        """Seconds of the loads since the last stream began."""
        return self._journal.loads

    async def load(self, edition_id: str) -> None:
        """Load an edition into memory."""
        await self._journal.read(edition_id)

    def memory(self, measure: str) -> Row:
        """Return the memory in use beyond the interpreter, the libraries, and the changes to come."""
        gc.collect()
        taken = resident_bytes() - self._bytes
        return {"measure": measure, "MB": round(taken / 2**20), "kB_an_edition": round(taken / 1024 / self._in_memory)}

    async def stream(self, measure: str, exponent: float = 0.0, workers: int = 0) -> Row:
        """Apply changes in sequence, for editions drawn with weight rank to the power of `-exponent`."""
        pool, seconds = CountingPool(max(workers, 1)), []
        pace = Pace(_QUIET_SECONDS, Settings().announce_seconds, Settings().change_budget, Settings().effort)
        improver = Improver(self._journal, pool, pace, RemedySeeker(self._journal, utc_now))
        scheduler = Scheduler(self._journal, pool, improver, utc_now)
        self._journal.loads.clear()
        async with improving(improver, pool, workers), loop_delay() as late:
            started, cpu, solved = time.perf_counter(), time.process_time(), pool.solved
            for record in self._draw(exponent):
                began = time.perf_counter()
                event = decode(record.headers, record.value)
                await scheduler.consume(event.edition_id, [input_of(event)])
                seconds.append(time.perf_counter() - began)
            took, cpu, improved = time.perf_counter() - started, time.process_time() - cpu, pool.solved - solved
        return {
            "measure": measure,
            "changes_a_s": round(len(seconds) / took),
            "cpu_ms_each": round(1000 * cpu / len(seconds), 1),
            **spread("change", seconds),
            **spread("late", late),
            "hit_rate": round(1 - len(self.loads) / len(seconds), 3),
            "improved_a_s": round(improved / took, 2),
        }

    def _draw(self, exponent: float) -> Iterator[Record]:
        editions = list(self._ahead)
        weights = list(accumulate((rank + 1) ** -exponent for rank in range(len(editions))))
        for edition_id in self._random.choices(editions, cum_weights=weights, k=min(STREAM, 5 * len(editions))):
            record = next(self._ahead[edition_id], None)
            if record is not None:
                yield record


def spread(name: str, seconds: Sequence[float]) -> Row:
    """Return the median, the 99th percentile and the maximum, in milliseconds."""
    ordered = sorted(seconds) or [math.nan]
    at = {"p50": len(ordered) // 2, "p99": len(ordered) * 99 // 100, "max": len(ordered) - 1}
    return {f"{name}_{share}_ms": round(1000 * ordered[place], 1) for share, place in at.items()}
