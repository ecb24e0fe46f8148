"""Edits by hand: their effects, their limits, and their undoing."""

from __future__ import annotations

from typing import Any

import pytest

from services.scheduler.domain.improvement.adopt import announce
from services.scheduler.domain.organiser.edit_plan import EditPlan, RulesBroken, StalePlan
from services.scheduler.domain.organiser.edit_targets import arrangement_of
from services.scheduler.domain.organiser.edits import apply_edit, mailed_participants, plan_edit
from services.scheduler.domain.organiser.errors import EditRejected
from shared.contract.events import EncounterChanged
from shared.contract.ids import encounter_id
from shared.internal_api.edits import Edit, LockEncounter, PlaceEncounter, SwapRepresentative, UndoEdit
from tests.support.scheduler_editions import (
    HALL,
    Edition,
    affinity,
    at,
    edition,
    organisation,
    pair,
    participant,
    people,
    session,
    workspace,
)


def meeting(one: str, other: str) -> str:
    return encounter_id("ed", one, other)


def put(one: str, other: str, slot: int, table: str | None = None, zone: str = "work") -> PlaceEncounter:
    return PlaceEncounter(encounter_id=meeting(one, other), slot=slot, zone_id=zone, table=table)


def lock(one: str, other: str, *, is_locked: bool = True) -> LockEncounter:
    return LockEncounter(encounter_id=meeting(one, other), is_locked=is_locked)


def swap(one: str, other: str, who: str, by: str) -> SwapRepresentative:
    return SwapRepresentative(encounter_id=meeting(one, other), participant_id=who, by=by)


def fair(**fields: Any) -> Edition:
    """Four of different organisations, and `a2` of a's; a meets b and c, b meets d."""
    return Edition(
        edition(**fields),
        organisation("org-a"),
        *people("a", "b", "c", "d"),
        participant("a2", organisation_id="org-a"),
        affinity("a", "b", priority=3),
        affinity("a", "c"),
        affinity("b", "d"),
    )


def do(subject: Edition, edit: Edit, token: str = "*") -> EditPlan:  # noqa: S107 - any
    decision = subject.decision()
    made = apply_edit(decision, edit, token)
    subject.finish(decision)
    return made


def agenda(subject: Edition) -> dict[str, Any]:
    told = {"encounters", "agendas", "version", "improved"}
    return subject.state.model_dump(exclude=told)


def test_an_encounter_placed_by_hand_stays_there() -> None:
    subject = fair()
    do(subject, put("a", "b", 3))
    assert subject.slot("a", "b") == 3
    assert subject.state.locked == {pair("a", "b")}
    assert subject.published[-1].causes[0].code == "organiser_edited"  # type: ignore[attr-defined]


def test_a_plan_changes_nothing_and_is_applied_as_planned() -> None:
    subject = fair()
    before, board = subject.state.model_dump(), dict(subject.state.board.placed)
    planned = plan_edit(subject.state, put("a", "b", subject.slot("b", "d") or 0), subject.now)
    assert subject.state.model_dump() == before
    assert subject.state.board.placed == board
    assert not subject.state.board.pinned
    assert set(planned.after) >= {pair("a", "b"), pair("b", "d")}
    made = do(subject, planned.edit, planned.token)
    assert made == planned
    assert {each: arrangement_of(subject.state, each) for each in planned.after} == planned.after


def test_a_meeting_in_the_way_of_an_edit_moves_or_waits() -> None:
    subject = fair(slots=2, zones=(workspace(1), HALL))
    assert len(subject.state.placements) == 2
    unplaced = next(each for each in (("a", "b"), ("a", "c"), ("b", "d")) if subject.slot(*each) is None)
    planned = do(subject, put(*unplaced, 0, "W1"))
    assert subject.slot(*unplaced) == 0
    assert len(subject.state.placements) == 2
    assert sum(each.place is None for each in planned.after.values()) == 1
    assert len(subject.state.waiting) == 1


@pytest.mark.parametrize(
    ("edit", "rule"),
    [
        (put("c", "d", 0), "no_consent"),
        (put("a", "x", 0), "not_taking_part"),
        (put("a", "b", 0, "W9"), "no_such_table"),
        (put("a", "b", 0, "I1", "innova"), "no_such_table"),
        (put("k", "b", 1), "in_a_session"),
        (swap("a", "b", "a", "a2"), "not_available"),
    ],
)
def test_no_edit_breaks_a_rule(edit: Edit, rule: str) -> None:
    subject = fair(sessions=(session("s", 1, 2),))
    subject.consume(participant("k", session_ids=("s",)), affinity("k", "b"), affinity("c", "d", consent="pending"))
    subject.consume(affinity("a", "x"), participant("a2", revision=2, organisation_id="org-a", available=()))
    gone = subject.state.placements[pair("a", "b")]
    away = [{"starts_at": gone.ends_at, "ends_at": gone.ends_at.replace(hour=20)}]
    subject.consume(participant("a2", revision=3, organisation_id="org-a", available=away))
    before = subject.state.model_dump()
    with pytest.raises(RulesBroken) as broken:
        do(subject, edit)
    assert rule in {each.rule for each in broken.value.plan.violations}
    assert subject.state.model_dump() == before


def test_a_locked_meeting_gives_way_to_no_edit() -> None:
    subject = fair()
    do(subject, lock("b", "d"))
    with pytest.raises(RulesBroken) as broken:
        do(subject, put("a", "b", subject.slot("b", "d") or 0))
    assert broken.value.plan.violations[0].pair_ids == tuple(sorted((pair("a", "b"), pair("b", "d"))))


def test_an_insert_moves_unlocked_meetings_only() -> None:
    subject = Edition(edition(slots=2), *people("a", "b", "c"), affinity("a", "b"))
    do(subject, lock("a", "b"))
    slot = subject.slot("a", "b")
    there = {"starts_at": at(slot or 0), "ends_at": at((slot or 0) + 1)}
    subject.consume(participant("c", revision=2, available=(there,)), affinity("a", "c"))
    assert (subject.slot("a", "b"), subject.slot("a", "c")) == (slot, None)
    do(subject, lock("a", "b", is_locked=False))
    subject.consume(affinity("a", "c", revision=2, priority=3))
    assert subject.slot("a", "b") != slot == subject.slot("a", "c")


def test_a_locked_meeting_that_loses_its_table_keeps_its_time() -> None:
    subject = fair()
    do(subject, put("a", "b", 2, "W1"))
    zones = (workspace().model_copy(update={"tables": ("W2", "W3")}), HALL)
    subject.consume(edition(revision=2, zones=zones))
    assert subject.slot("a", "b") == 2
    assert subject.table("a", "b") in {"W2", "W3"}
    assert pair("a", "b") in subject.state.locked


def test_a_swapped_encounter_keeps_its_id() -> None:
    subject = fair(phase="published")
    decision = subject.decision()
    announce(decision)
    subject.finish(decision)
    place = subject.state.placements[pair("a", "b")]
    planned = do(subject, swap("a", "b", "a", "a2"))
    assert mailed_participants(subject.state, planned) == ["a", "a2", "b"]
    said = subject.published[-4:]
    assert [getattr(each, "participant_id", "") for each in said] == ["", "a", "a2", "b"]
    moved = said[0]
    assert moved.encounter_id == meeting("a", "b")  # type: ignore[attr-defined]
    assert (moved.participant_ids, moved.place, moved.state) == (("a2", "b"), place, "moved")  # type: ignore[attr-defined]
    assert [entry.with_participant_id for entry in said[2].entries] == ["b"]  # type: ignore[attr-defined]
    assert "a2" in {entry.with_participant_id for entry in said[3].entries}  # type: ignore[attr-defined]


def test_a_swap_takes_the_time_of_the_substitute_alone() -> None:
    subject = fair(slots=1)
    assert subject.slot("a", "b") == 0
    do(subject, swap("a", "b", "a", "a2"))
    subject.consume(affinity("a", "c", revision=2))
    assert subject.slot("a", "c") == 0
    subject.consume(affinity("a2", "d"))
    assert subject.slot("a2", "d") is None
    subject.consume(participant("a2", revision=2, organisation_id="org-a", status="cancelled"))
    assert subject.slot("a", "b") is None


def test_a_new_score_keeps_the_substitute() -> None:
    subject = fair()
    do(subject, swap("a", "b", "a", "a2"))
    said = subject.consume(affinity("a", "b", revision=2, score=0.9))
    assert said == []
    assert subject.state.pairs[pair("a", "b")].participant_ids == ("a2", "b")
    subject.consume(affinity("a", "b", revision=3, consent="refused"))
    assert subject.slot("a", "b") is None


def test_two_participants_have_at_most_one_encounter() -> None:
    subject = fair()
    do(subject, swap("a", "b", "a", "a2"))
    subject.consume(affinity("a2", "b"))
    assert pair("a2", "b") in subject.state.waiting
    subject.consume(affinity("a", "b", revision=2, consent="refused"))
    assert subject.slot("a2", "b") is not None


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (put("a", "z", 0), "unknown-encounter"),
        (put("a", "b", 9), "no-such-slot"),
        (put("a", "b", 0, zone="hall"), "no-table"),
        (swap("a", "b", "c", "a2"), "not-theirs"),
        (swap("a", "b", "a", "nobody"), "unknown-participant"),
        (swap("a", "b", "a", "c"), "not-a-representative"),
        (swap("a", "b", "a", "a"), "not-a-representative"),
        (UndoEdit(), "nothing-to-undo"),
    ],
)
def test_an_impossible_edit_is_rejected(edit: Edit, code: str) -> None:
    subject = fair()
    with pytest.raises(EditRejected) as refused:
        plan_edit(subject.state, edit, subject.now)
    assert refused.value.code == code


def test_begun_meetings_and_closed_editions_are_not_edited() -> None:
    subject = fair()
    slot = subject.slot("a", "b") or 0
    subject.consume(edition(revision=2, phase="live"))
    subject.now = at(slot)
    with pytest.raises(EditRejected, match="begun"):
        plan_edit(subject.state, lock("a", "b"), subject.now)
    subject.consume(edition(revision=3, phase="closed"))
    with pytest.raises(EditRejected, match="closed"):
        plan_edit(subject.state, lock("b", "d"), subject.now)
    with pytest.raises(EditRejected, match="no edition"):
        plan_edit(Edition().state, UndoEdit(), subject.now)


def test_a_token_is_valid_for_the_planned_effects_only() -> None:
    subject = fair()
    planned = plan_edit(subject.state, put("a", "b", 3), subject.now)
    subject.consume(*people("e", "f"), affinity("e", "f"))  # not among those concerned
    assert plan_edit(subject.state, planned.edit, subject.now).token == planned.token
    do(subject, put("b", "d", 3, "W2"))
    with pytest.raises(StalePlan) as stale:
        do(subject, planned.edit, planned.token)
    assert stale.value.plan.token != planned.token


def test_undos_restore_earlier_agendas_step_by_step() -> None:
    subject = fair(slots=2, zones=(workspace(1), HALL))
    states = [agenda(subject)]
    unplaced = next(each for each in (("a", "b"), ("a", "c"), ("b", "d")) if subject.slot(*each) is None)
    for edit in (put(*unplaced, 0, "W1"), lock(*unplaced, is_locked=False), put(*unplaced, 1, "W1")):
        do(subject, edit)
        states.append(agenda(subject))
    for before in reversed(states[:-1]):
        do(subject, UndoEdit())
        assert agenda(subject) == before
    with pytest.raises(EditRejected):
        do(subject, UndoEdit())


def test_no_undo_returns_an_encounter_to_a_slot_that_has_begun_under_another_number() -> None:
    subject = fair()
    do(subject, put("a", "b", 1))
    do(subject, put("a", "b", 3))
    subject.consume(edition(revision=2, shift=1))  # slot 1 has number 0 now
    subject.now = at(1.5)
    with pytest.raises(EditRejected, match="begun"):
        plan_edit(subject.state, UndoEdit(), subject.now)


def test_an_undo_returns_an_encounter_to_a_later_slot_that_has_another_number() -> None:
    subject = fair()
    do(subject, put("a", "b", 2))
    do(subject, put("a", "b", 3))
    subject.consume(edition(revision=2, shift=-2, slots=6))  # slot 2 has number 4 now
    subject.now = at(0.5)
    do(subject, UndoEdit())
    assert subject.slot("a", "b") == 4
    assert subject.state.placements[pair("a", "b")].starts_at == at(2)


def test_undoing_a_swap_gives_the_encounter_back() -> None:
    subject = fair()
    before = agenda(subject)
    do(subject, swap("a", "b", "a", "a2"))
    do(subject, UndoEdit())
    assert agenda(subject) == before


def test_an_encounter_returns_from_a_substitute_that_cancels() -> None:
    subject = fair()
    place = subject.state.placements[pair("a", "b")]
    do(subject, swap("a", "b", "a", "a2"))
    subject.consume(participant("a2", revision=2, organisation_id="org-a", status="cancelled"))
    assert subject.state.placements[pair("a", "b")] == place
    assert subject.state.pairs[pair("a", "b")].participant_ids == ("a", "b")
    do(subject, UndoEdit())
    assert subject.state.placements[pair("a", "b")] == place
    assert subject.state.pairs[pair("a", "b")].participant_ids == ("a", "b")


def test_a_waiting_encounter_cannot_be_swapped() -> None:
    subject = fair(slots=0)
    with pytest.raises(EditRejected) as refused:
        plan_edit(subject.state, swap("a", "b", "a", "a2"), subject.now)
    assert refused.value.code == "no-place"


def test_an_undo_gives_a_cancelled_participant_nothing() -> None:
    subject = fair()
    do(subject, put("a", "b", 3))
    subject.consume(participant("a", revision=2, status="cancelled"))
    do(subject, UndoEdit())
    assert subject.slot("a", "b") is None
    assert pair("a", "b") not in subject.state.locked


def test_a_new_slot_number_is_published_without_agendas() -> None:
    subject = fair(slots=3)
    do(subject, put("a", "b", 1))
    was, state = subject.state.placements[pair("a", "b")], subject.state.encounters[pair("a", "b")].state
    said = subject.consume(edition(slots=3, revision=2, shift=1))
    told = [each for each in said if isinstance(each, EncounterChanged) and each.encounter_id == meeting("a", "b")]
    now = subject.state.placements[pair("a", "b")]
    assert (now.slot, now.starts_at) == (0, was.starts_at)
    assert [(each.place, each.state, each.cause.code) for each in told] == [(now, state, "edition_changed")]
