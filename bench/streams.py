"""Streams of requests: waits until a request is inserted, verified and published, and numbers of placed requests.

Arrivals are drawn for a simulated clock. The scheduler is a single server that consumes all arrivals in a batch, as
its consumer does. The time of a batch is measured in CPU seconds, without the journal and the broker.
"""

from __future__ import annotations

import multiprocessing
import time
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import NamedTuple

from bench.instances.arrivals import burst, last_minute, poisson
from bench.instances.editions import ITECAM, THOUSAND, WHEN, Size, synthetic
from bench.instances.stream import LATE, REQUESTS, RUSH, late_changes, live
from bench.scheduler import PublishedEdition
from services.scheduler.aggregate import AgendaAggregate, publishing
from services.scheduler.domain.improvement.problem import problem_of
from services.scheduler.domain.verification import violations_of
from services.scheduler.solver.bound import placement_bound
from shared.contract.events import AffinityScored, Event
from shared.runtime.settings import ServiceSettings

Table = list[dict[str, object]]
#: Returns the seconds of a batch, given its start and the range of its arrivals (first, end).
Serve = Callable[[float, int, int], float]

_SEED = 2018
_SETTING = ServiceSettings.model_fields
_MOST_AT_ONCE: int = _SETTING["batch_max_records"].default
_EVERY_SECONDS: float = _SETTING["batch_every_ms"].default / 1000
_RUSH_SECONDS, _FREEZE_MINUTES = 7_200, 60


class Stream(NamedTuple):
    """A stream: arrival times by seed, and shares of the kinds of change. A live stream ends when its edition opens."""

    name: str
    arrivals: Callable[[int], Iterator[float]]
    shares: Mapping[str, int]
    is_live: bool = False


_STREAMS = (
    *(Stream(f"Poisson, {rate:,}/s", partial(poisson, count=5_000, rate=rate), LATE) for rate in (10, 100, 1_000)),
    Stream("burst, 500 in 1 s", partial(burst, count=500, seconds=1), REQUESTS),
    Stream("last minute, 500 in 2 h", partial(last_minute, count=500, seconds=_RUSH_SECONDS), RUSH, is_live=True),
)


def run(data: Path | None) -> Table:  # noqa: ARG001 - every benchmark is offered the data
    """Return a row per stream and size, measured in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        return pool.starmap(measure, [(size, stream) for size in (ITECAM, THOUSAND) for stream in _STREAMS], 1)


def measure(size: Size, stream: Stream) -> dict[str, object]:
    """Return the row of a stream at a size."""
    subject = PublishedEdition(synthetic(size, _SEED))
    arrivals = list(stream.arrivals(_SEED))
    scheduler = _Scheduler(subject, stream, len(arrivals))
    waits, batches = queued(arrivals, scheduler.serve)
    return {
        "stream": stream.name,
        "people": size.people,
        "busy": f"{100 * sum(batch.seconds for batch in batches) / (arrivals[-1] + waits[-1]):.3g} %",
        "most_at_once": max(batch.changes for batch in batches),
        **_milliseconds(waits),
        **scheduler.outcome(),
    }


class ServedBatch(NamedTuple):
    """A batch: its number of changes, and its seconds."""

    changes: int
    seconds: float


def queued(arrivals: Sequence[float], serve: Serve) -> tuple[list[float], list[ServedBatch]]:
    """Return the waits of the arrivals in seconds, and the batches, for a single server with batch service.

    Lindley's recursion: a batch begins after the end of the last batch, once its first change has arrived. As in the
    consumer, batches begin at least `batch_every_ms` apart, and hold at most `batch_max_records` changes.
    """
    waits: list[float] = []
    batches: list[ServedBatch] = []
    free, first = 0.0, 0
    while first < len(arrivals):
        begins = max(free, arrivals[first])
        until = min(bisect_right(arrivals, begins), first + _MOST_AT_ONCE)
        batches.append(ServedBatch(until - first, serve(begins, first, until)))
        ends = begins + batches[-1].seconds
        waits += [ends - arrival for arrival in arrivals[first:until]]
        free, first = max(ends, begins + _EVERY_SECONDS), until
    return waits, batches


class _Scheduler:
    """The scheduler of a published edition, or of a live edition that opens when the stream ends."""

    def __init__(self, subject: PublishedEdition, stream: Stream, changes: int) -> None:
        self._state = subject.state
        self._begins = self._now = WHEN
        if stream.is_live:
            self._begins = subject.instance.edition.slots[0].starts_at - timedelta(seconds=_RUSH_SECONDS)
            self._decide([live(subject.instance, _FREEZE_MINUTES)], self._begins)
        self._changes = list(late_changes(subject.instance, changes, stream.shares))

    def serve(self, begins: float, first: int, until: int) -> float:
        """Decide on a batch of changes and publish the consequences. Return the CPU seconds."""
        events = [change.event for change in self._changes[first:until]]
        started = time.thread_time()
        self._decide(events, self._begins + timedelta(seconds=begins))
        return time.thread_time() - started

    def _decide(self, events: Sequence[Event], now: datetime) -> None:
        self._now = now
        AgendaAggregate().decide(self._state, events, now)
        while self._state.unpublished_pairs or self._state.unpublished_participants:
            publishing(self._state, now)

    def outcome(self) -> dict[str, object]:
        """Return the encounters placed at the end beside the bound, also of the pairs that the stream asked for."""
        state = self._state
        asked = {change.event.pair_id for change in self._changes if isinstance(change.event, AffinityScored)}
        wanted = [pair for pair in asked if state.is_wanted(pair)]
        placed, most = len(state.placements), placement_bound(problem_of(state, self._now, change_budget=0))
        return {
            "placed": placed,
            "bound": most,
            "gap": f"{100 * (most - placed) / max(most, 1):.2f} %",
            "asked": len(wanted),
            "asked_placed": sum(pair in state.placements for pair in wanted),
            "violations": len(violations_of(state, state.placements, self._now)),
        }


def _milliseconds(waits: Sequence[float]) -> dict[str, object]:
    ordered = sorted(waits)
    middle, slow = (min(len(ordered) - 1, len(ordered) * share // 100) for share in (50, 99))
    return {
        "wait_p50_ms": round(ordered[middle] * 1000, 2),
        "wait_p99_ms": round(ordered[slow] * 1000, 2),
        "wait_max_ms": round(ordered[-1] * 1000, 2),
    }
