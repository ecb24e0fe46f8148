"""100,000 random operations on small, full editions: verified after every operation, replayed now and then.

An operation is an event; some events undo the last change of a fact. Between events the clock advances, organisers edit
by hand and report attendance, agendas are improved, solutions for an older state are adopted, and the edition restarts
from its journal.
"""

from __future__ import annotations

import multiprocessing
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from bench.instances.editions import EDITION, WHEN, Size, SyntheticEdition, synthetic
from bench.instances.stream import STRESS, late_changes
from services.scheduler.aggregate import AgendaAggregate, Query, adopting, announcing
from services.scheduler.domain import timing
from services.scheduler.domain.changes import CHANGE, Change
from services.scheduler.domain.decision import DecisionInProgress
from services.scheduler.domain.evolve import evolve
from services.scheduler.domain.improvement.adopt import SolutionStale
from services.scheduler.domain.improvement.problem import Solution, problem_of
from services.scheduler.domain.organiser.attendance import AttendanceReport, record_attendance
from services.scheduler.domain.organiser.edit_plan import RulesBroken
from services.scheduler.domain.organiser.edits import apply_edit
from services.scheduler.domain.organiser.errors import EditRejected
from services.scheduler.domain.state import AgendaState
from services.scheduler.domain.verification import violations_of
from services.scheduler.solver.effort import Effort
from services.scheduler.solver.improve import improve
from shared.contract.events import EncounterState, Event
from shared.internal_api.edits import Edit, InviteGuest, LockEncounter, OrderEncounters, PlaceEncounter, UndoEdit

_OPERATIONS = 100_000
_PER_EDITION = 250
#: 12 people, 6 slots and 4 tables: hardly any encounter fits without moving another.
_SIZE = Size("small", 6, 12, 20, 6, 4, sessions=2)
#: Mean numbers of operations between two advances of the clock, announcements, restarts from the journal, edits by
#: hand, attendance reports, improvements, and adoptions of an improved agenda.
_CLOCK, _ANNOUNCE, _RESTART, _EDIT, _ATTEND, _IMPROVE, _ADOPT = 50, 20, 25, 10, 10, 50, 5
_EFFORT = Effort(rounds=1, round_effort=0.01, steps=100)
_CHANGE_BUDGET = 3


def run(data: Path | None) -> list[dict[str, object]]:  # noqa: ARG001 - every benchmark is offered the data
    """Return a single row: counts of operations, and of faults."""
    started, done = time.perf_counter(), Counter[str]()
    with multiprocessing.get_context("spawn").Pool() as pool:
        for count in pool.imap_unordered(_stress, range(_OPERATIONS // _PER_EDITION)):
            done.update(count)
    return [{"operations": _OPERATIONS, **done, "seconds": round(time.perf_counter() - started, 1)}]


def _stress(seed: int) -> Counter[str]:
    return stress(seed, _PER_EDITION)


def stress(seed: int, operations: int) -> Counter[str]:
    """Run operations on an edition. Count violations, placements in the past, lost wishes, and replays that differ."""
    subject = RandomEdition(synthetic(_SIZE, seed))
    for _, event in late_changes(subject.instance, operations, STRESS):
        subject.operate(event)
    return subject.count


class RandomEdition:
    """An edition under random operations, checked after every operation."""

    def __init__(self, instance: SyntheticEdition) -> None:
        self.instance, self.state, self.now = instance, AgendaState(edition_id=EDITION), WHEN
        self.count: Counter[str] = Counter(violations=0, placed_in_the_past=0, lost_wishes=0, replays_that_differ=0)
        self._aggregate = AgendaAggregate()
        self._changes: list[Change] = []
        self._improved: Solution | None = None
        self._changes += self._aggregate.decide(self.state, instance.events, WHEN).changes

    def operate(self, event: Event) -> None:
        """Apply an event, sometimes after another operation, and check the state."""
        chance = self.instance.random.randrange
        if not chance(_CLOCK):
            self.now = max(self.now, self._some_time())
        before = self._starts()
        if not chance(_ANNOUNCE):
            self._changes += announcing(self.state, self.now).changes
        if not chance(_RESTART):
            self._restart()
        if not chance(_EDIT):
            self._edit(self._some_edit())
        if not chance(_ATTEND):
            self._attend()
        if not chance(_IMPROVE) and not self.state.is_closed:
            self._improved = improve(problem_of(self.state, self.now, _CHANGE_BUDGET), _EFFORT)
        if not chance(_ADOPT):
            self._adopt()
        self._changes += self._aggregate.decide(self.state, [event], self.now).changes
        self.count["violations"] += len(violations_of(self.state, self.state.placements, self.now))
        moved = {pair_id for pair_id, start in self._starts().items() if before.get(pair_id) != start}
        self.count["placed_in_the_past"] += sum(map(self._is_past, moved))
        self.count["lost_wishes"] += sum(map(self._is_lost, self.state.pairs))

    def _starts(self) -> dict[str, datetime]:
        return {pair_id: place.starts_at for pair_id, place in self.state.placements.items()}

    def _is_past(self, pair_id: str) -> bool:
        """Return whether the slot has begun; in a live edition, is half over. Held encounters may be in the past."""
        state, place = self.state, self.state.placements[pair_id]
        half = place.starts_at + (place.ends_at - place.starts_at) / 2
        is_late = half < self.now if state.is_live else place.starts_at <= self.now
        return is_late and pair_id not in state.attended

    def _is_lost(self, pair_id: str) -> bool:
        """True if a wanted pair is neither placed nor waiting, or both."""
        state = self.state
        return state.is_wanted(pair_id) and (pair_id in state.placements) == (pair_id in state.waiting)

    def _edit(self, edit: Edit) -> None:
        self.count["edits" if self._ask(lambda decision: apply_edit(decision, edit, "*")) else "edits_refused"] += 1

    def _ask(self, work: Callable[[DecisionInProgress], object]) -> bool:
        """Decide on a request by hand. Return whether it was granted."""
        query = Query(work)
        self._changes += query(self.state, self.now).changes
        with suppress(EditRejected, RulesBroken):
            return query.answer is not None
        return False

    def _attend(self) -> None:
        """Report the attendance of a random encounter that has begun, if there is any."""
        chance, state = self.instance.random, self.state
        begun = [pair for pair in sorted(state.pairs) if timing.is_history(state, pair, self.now)]
        if not begun:
            return
        pair = chance.choice(begun)
        absent = tuple(
            participant_id for participant_id in state.pairs[pair].participant_ids if not chance.randrange(3)
        )
        outcome = EncounterState.MISSED if absent else EncounterState.HELD
        attendance = AttendanceReport(outcome=outcome, absent=absent)
        self.count["attended"] += self._ask(
            lambda decision: record_attendance(decision, state.encounter_id(pair), attendance)
        )

    def _some_edit(self) -> Edit:
        chance, state = self.instance.random, self.state
        encounter_id, other_id = map(state.encounter_id, chance.sample(sorted(state.pairs), 2))
        place = PlaceEncounter(
            encounter_id=encounter_id, slot=chance.randrange(self.instance.size.slots), zone_id="work"
        )
        lock = LockEncounter(encounter_id=encounter_id, is_locked=chance.choice((True, False)))
        order = OrderEncounters(encounter_id=encounter_id, after_id=other_id, is_ordered=chance.choice((True, False)))
        guest = chance.choice(sorted(state.participants))
        invite = InviteGuest(encounter_id=encounter_id, participant_id=guest, is_invited=chance.choice((True, False)))
        return chance.choice((place, place, lock, order, invite, UndoEdit()))

    def _adopt(self) -> None:
        improved, self._improved = self._improved, None
        if improved is None:
            return
        try:
            self._changes += adopting(improved)(self.state, self.now).changes
            self.count["improvements"] += 1
        except SolutionStale:
            self.count["improvements_stale"] += 1

    def _restart(self) -> None:
        """Continue from the replayed journal, as another process would."""
        replayed = AgendaState(edition_id=EDITION)
        for change in self._changes:
            evolve(replayed, CHANGE.validate_python(CHANGE.dump_python(change, mode="json")))
        self.count["replays_that_differ"] += replayed.model_dump() != self.state.model_dump()
        self.state = replayed

    def _some_time(self) -> datetime:
        slots = self.instance.edition.slots
        return slots[self.instance.random.randrange(len(slots))].starts_at - timedelta(minutes=5)
