"""100,000 random operations on small, full editions that have no peace: verified after each, replayed now and then."""

from __future__ import annotations

import time
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

from bench.instances.editions import EDITION, WHEN, Instance, Size, synthetic
from bench.instances.stream import TURMOIL, late_changes
from services.scheduler.aggregate import AgendaAggregate, announcing
from services.scheduler.domain.adopt import violations_of
from services.scheduler.domain.changes import CHANGE, Change
from services.scheduler.domain.evolve import evolve
from services.scheduler.domain.state import AgendaState
from shared.events import Event

_OPERATIONS = 100_000
_PER_EDITION = 250
#: Twelve people, six slots and four tables: hardly anything fits without somebody moving.
_SIZE = Size("small", 6, 12, 20, 6, 4, sessions=2)
#: One in so many operations is the clock's, one in so many tells the agendas for good, one in so many a restart.
_CLOCK, _ANNOUNCE, _RESTART = 50, 20, 25


def run(data: Path | None) -> list[dict[str, object]]:  # noqa: ARG001 - every benchmark is offered the data
    """One row: what was done, and what was wrong with it."""
    started, done = time.perf_counter(), Counter[str]()
    for seed in range(_OPERATIONS // _PER_EDITION):
        done.update(ordeal(seed, _PER_EDITION))
    return [{"operations": _OPERATIONS, **done, "seconds": round(time.perf_counter() - started, 1)}]


def ordeal(seed: int, operations: int) -> Counter[str]:
    """Put one edition through so many operations; counts violations, lost wishes, and replays that differ."""
    subject = _Edition(synthetic(_SIZE, seed))
    for _, event in late_changes(subject.instance, operations, TURMOIL):
        subject.operate(event)
    return subject.count


class _Edition:
    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.count: Counter[str] = Counter(violations=0, lost_wishes=0, replays_that_differ=0)
        self._aggregate = AgendaAggregate()
        self._state = AgendaState(edition_id=EDITION)
        self._changes: list[Change] = []
        self._now = WHEN
        self._changes += self._aggregate.decide(self._state, instance.events, WHEN).changes

    def operate(self, event: Event) -> None:
        """One event, now and then something else before it; then all is checked."""
        chance = self.instance.random.randrange
        if not chance(_CLOCK):
            self._now = max(self._now, self._some_time())
        if not chance(_ANNOUNCE):
            self._changes += announcing(self._state, self._now).changes
        if not chance(_RESTART):
            self._restart()
        self._changes += self._aggregate.decide(self._state, [event], self._now).changes
        self.count["violations"] += len(violations_of(self._state, self._state.placements, self._now))
        self.count["lost_wishes"] += sum(map(self._is_lost, self._state.pairs))

    def _is_lost(self, pair_id: str) -> bool:
        """Whether somebody's wish is neither placed nor said to wait."""
        state = self._state
        return state.is_wanted(pair_id) and (pair_id in state.placements) == (pair_id in state.waiting)

    def _restart(self) -> None:
        """Go on from the fold of the journal, as another process would."""
        replayed = AgendaState(edition_id=EDITION)
        for change in self._changes:
            evolve(replayed, CHANGE.validate_python(CHANGE.dump_python(change, mode="json")))
        self.count["replays_that_differ"] += replayed.model_dump() != self._state.model_dump()
        self._state = replayed

    def _some_time(self) -> datetime:
        slots = self.instance.edition.slots
        return slots[self.instance.random.randrange(len(slots))].starts_at - timedelta(minutes=5)
