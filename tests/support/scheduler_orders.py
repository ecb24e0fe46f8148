"""Edits by hand on small editions of the scheduler, with the agenda checked after every edit."""

from __future__ import annotations

from services.scheduler.domain import timing
from services.scheduler.domain.changes import CHANGE
from services.scheduler.domain.evolve import evolve
from services.scheduler.domain.organiser.edit_plan import EditPlan
from services.scheduler.domain.organiser.edits import apply_edit, plan_edit
from services.scheduler.domain.state import AgendaState
from services.scheduler.domain.timetable.verifier import verify
from services.scheduler.domain.verification import inputs_of
from shared.contract.ids import encounter_id
from shared.internal_api.edits import Edit, LockEncounter, OrderEncounters, PlaceEncounter
from tests.support.scheduler_editions import Edition, affinity, edition, people

Sides = tuple[str, str]
NAMES = [f"p{number}" for number in range(8)]
EVERYBODY = [(first, second) for first in NAMES for second in NAMES if first < second]


def order(later: Sides, earlier: Sides, *, is_ordered: bool = True) -> OrderEncounters:
    return OrderEncounters(
        encounter_id=encounter_id("ed", *later), after_id=encounter_id("ed", *earlier), is_ordered=is_ordered
    )


def put(sides: Sides, slot: int, table: str | None = None) -> PlaceEncounter:
    return PlaceEncounter(encounter_id=encounter_id("ed", *sides), slot=slot, zone_id="work", table=table)


def lock(sides: Sides, *, is_locked: bool = True) -> LockEncounter:
    return LockEncounter(encounter_id=encounter_id("ed", *sides), is_locked=is_locked)


def fair(*pairs: Sides, **fields: object) -> Edition:
    names = sorted({name for sides in pairs for name in sides})
    return Edition(edition(**fields), *people(*names), *(affinity(*sides) for sides in pairs))  # type: ignore[arg-type]


def do(subject: Edition, *edits: Edit) -> EditPlan:
    for edit in edits:
        decision = subject.decision()
        made = apply_edit(decision, edit, plan_edit(subject.state, edit, subject.now).token)
        subject.finish(decision)
        check(subject)
    return made


def check(subject: Edition) -> None:
    """Assert that the agenda is valid, and that replaying its changes gives the same state."""
    state = subject.state
    begun = {pair_id for pair_id in state.placements if timing.has_begun(state, pair_id, subject.now)}
    assert verify(inputs_of(state), state.placements, begun) == []
    replayed = AgendaState(edition_id="ed")
    for change in subject.changes:
        evolve(replayed, CHANGE.validate_json(CHANGE.dump_json(change)))
    assert replayed.model_dump() == state.model_dump()
    assert replayed.board.predecessors == state.board.predecessors
