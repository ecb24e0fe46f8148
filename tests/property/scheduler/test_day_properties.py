"""Property: edits, undo and events of the day leave a valid, published agenda that its journal reproduces."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.scheduler.domain import timing
from services.scheduler.domain.changes import CHANGE
from services.scheduler.domain.evolve import evolve
from services.scheduler.domain.state import AgendaState
from shared.internal_api.edits import (
    UndoEdit,
)
from tests.support.scheduler_day import (
    Step,
    apply_edit_as_planned,
    apply_step,
    attend,
    check_agenda,
    check_indexes,
    check_published,
    edit_of,
    edits,
    full_fair,
    steps,
)
from tests.support.scheduler_editions import (
    HALL,
    at,
    edition,
    workspace,
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(1, 3), st.lists(steps, max_size=25))
def test_every_step_of_a_day_leaves_a_valid_agenda(tables: int, rest: list[Step]) -> None:
    subject = full_fair(tables)
    for revision, (kind, fields) in enumerate(rest, start=3):
        apply_step(subject, kind, fields, revision)
        check_agenda(subject)
        if kind in {"attend", "edition"}:
            check_indexes(subject)
    check_indexes(subject)
    check_published(subject)
    replayed = AgendaState(edition_id="ed")
    for change in subject.changes:
        evolve(replayed, CHANGE.validate_json(CHANGE.dump_json(change)))
    assert replayed.model_dump() == subject.state.model_dump()


reports = st.fixed_dictionaries({"number": st.integers(0, 20), "absent": st.integers(0, 3)})


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from([0.4, 0.5, -0.4, 1, -1]), st.lists(reports, min_size=1, max_size=5))
def test_attendance_after_moved_slots_keeps_the_board_right(shift: float, made: list[dict[str, Any]]) -> None:
    subject = full_fair(3)
    subject.now = at(2.2)
    fields: dict[str, Any] = {"slots": 5, "zones": (workspace(3), HALL), "phase": "live", "freeze_minutes": 0}
    subject.consume(edition(revision=3, shift=shift, **fields))
    for report in made:
        attend(subject, report)
        check_agenda(subject)
        check_indexes(subject)


def agenda_of(state: AgendaState) -> dict[str, Any]:
    """Return the state without published events, count of inputs and unsettled places: an edit settles at once."""
    return state.model_dump(exclude={"encounters", "agendas", "version", "unsettled"})


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(steps, max_size=12), st.lists(edits, min_size=1, max_size=5))
def test_undoing_edits_restores_the_agenda(rest: list[Step], by_hand: list[Step]) -> None:
    subject = full_fair()
    for revision, (kind, fields) in enumerate(rest, start=3):
        apply_step(subject, kind, fields, revision)
    before: list[dict[str, Any]] = []
    for _, fields in by_hand:
        edit, was = edit_of(subject.state, fields), agenda_of(subject.state)
        if (
            not isinstance(edit, UndoEdit)
            and apply_edit_as_planned(subject, edit)
            and len(subject.state.edits) > len(was["edits"])
        ):
            before.append(was)
    for was in reversed(before):
        has_begun = any(timing.is_history(subject.state, pair, subject.now) for pair in subject.state.edits[-1].after)
        assert apply_edit_as_planned(subject, UndoEdit()) != has_begun
        if has_begun:  # an encounter in a running slot is not moved any more
            return
        assert agenda_of(subject.state) == was
