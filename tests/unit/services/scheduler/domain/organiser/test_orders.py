"""Orders of encounters: set by hand, kept by every engine, and taken back."""

from __future__ import annotations

from itertools import pairwise

import pytest

from services.scheduler.domain.improvement.adopt import adopt, announce
from services.scheduler.domain.improvement.problem import problem_of
from services.scheduler.domain.organiser import edit_targets as targets
from services.scheduler.domain.organiser.attendance import AttendanceReport, record_attendance
from services.scheduler.domain.organiser.edit_plan import RulesBroken
from services.scheduler.domain.organiser.edit_targets import arrangement_of
from services.scheduler.domain.organiser.edits import plan_edit
from services.scheduler.domain.organiser.errors import EditRejected
from services.scheduler.domain.timetable.board import Assignment
from services.scheduler.solver.effort import Effort
from services.scheduler.solver.improve import improve
from shared.contract.events import Cause, EncounterChanged
from shared.contract.ids import encounter_id
from shared.internal_api.edits import Edit, OrderEncounters, SwapRepresentative, UndoEdit
from tests.support.scheduler_editions import (
    HALL,
    NOW,
    Edition,
    affinity,
    at,
    edition,
    pair,
    participant,
    people,
    window,
    workspace,
)
from tests.support.scheduler_orders import EVERYBODY, Sides, check, do, fair, lock, order, put

AB, AC, BD, CD = ("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")


def slots(subject: Edition, *pairs: Sides) -> list[int | None]:
    return [subject.slot(*sides) for sides in pairs]


def improved(subject: Edition, change_budget: int = 0) -> Edition:
    decision = subject.decision()
    effort = Effort(seed=7, rounds=3, round_effort=0.02)
    adopt(decision, improve(problem_of(subject.state, subject.now, change_budget), effort))
    subject.finish(decision)
    check(subject)
    return subject


@pytest.mark.parametrize(("ab", "cd"), [(0, 3), (3, 0), (1, 1), (2, 3)])
def test_two_meetings_in_the_wrong_order_move_as_little_as_possible(ab: int, cd: int) -> None:
    subject = fair(AB, CD)
    do(subject, put(AB, ab, "W1"), put(CD, cd, "W2"), lock(AB, is_locked=False), lock(CD, is_locked=False))
    planned = do(subject, order(AB, CD))
    now_ab, now_cd = subject.slot(*AB), subject.slot(*CD)
    assert now_ab is not None
    assert now_cd is not None
    assert now_cd < now_ab
    stays = (now_ab == ab) + (now_cd == cd)
    assert stays == (2 if cd < ab else 1 if (ab, cd) != (0, 3) else 0)
    assert planned.after[pair(*AB)].comes_after == (pair(*CD),)
    assert not subject.state.locked
    do(subject, UndoEdit())
    assert slots(subject, AB, CD) == [ab, cd]
    assert subject.state.comes_after == {}


@pytest.mark.parametrize("locked", [AB, CD])
def test_a_locked_meeting_stays_and_the_unlocked_meeting_moves(locked: Sides) -> None:
    subject = fair(AB, CD)
    do(subject, put(AB, 1), put(CD, 2), lock(AB if locked == CD else CD, is_locked=False), order(AB, CD))
    assert slots(subject, AB, CD) in ([1, 0], [3, 2])
    assert subject.slot(*locked) == {AB: 1, CD: 2}[locked]


def test_two_locked_meetings_cannot_change_their_order() -> None:
    subject = fair(AB, CD)
    do(subject, put(AB, 1), put(CD, 2))
    before = subject.state.model_dump()
    with pytest.raises(RulesBroken, match="out_of_order") as broken:
        do(subject, order(AB, CD))
    assert broken.value.plan.violations[0].pair_ids == tuple(sorted((pair(*AB), pair(*CD))))
    assert subject.state.model_dump() == before


def test_a_meeting_without_a_slot_in_order_waits() -> None:
    subject = fair(AB, CD, slots=1)
    planned = do(subject, order(AB, CD))
    assert sum(each.place is None for each in planned.after.values()) == 1
    assert set(subject.state.waiting.values()) == {"no_slot_in_order"}
    [said] = [each for each in subject.published if isinstance(each, EncounterChanged) and each.waiting_reason]
    assert said.relaxation is not None
    assert (said.relaxation.rule, said.relaxation.slot, said.relaxation.participant_ids) == ("out_of_order", 0, ())
    placed, waits = (AB, CD) if subject.slot(*AB) == 0 else (CD, AB)
    subject.consume(affinity(*placed, revision=2, consent="refused"))
    assert slots(subject, placed, waits) == [None, 0]
    check(subject)


def test_an_edit_moves_unlocked_meetings_out_of_order() -> None:
    subject = fair(AB, CD)
    do(subject, order(AB, CD), put(AB, 3), put(CD, 2), lock(CD, is_locked=False))
    planned = do(subject, put(AB, 1))
    assert slots(subject, CD, AB) == [0, 1]
    assert set(planned.after) == {pair(*AB), pair(*CD)}
    do(subject, put(CD, 0))
    with pytest.raises(RulesBroken, match="out_of_order"):
        do(subject, put(AB, 0, "W2"))
    do(subject, order(AB, CD, is_ordered=False), put(AB, 0, "W2"))
    assert slots(subject, CD, AB) == [0, 0]


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (order(AB, AB), "contradiction"),
        (order(AB, ("a", "z")), "unknown-encounter"),
        (order(("a", "z"), AB), "unknown-encounter"),
        (OrderEncounters(encounter_id=encounter_id("ed", *AB), after_id=encounter_id("x", *CD), is_ordered=True), ""),
        (order(CD, AC), "circular"),
        (order(CD, AB), "circular"),
    ],
)
def test_an_impossible_order_is_rejected(edit: Edit, code: str) -> None:
    subject = fair(AB, AC, CD)
    do(subject, order(AC, AB), order(AB, CD))
    with pytest.raises(EditRejected) as refused:
        plan_edit(subject.state, edit, subject.now)
    assert refused.value.code == (code or "unknown-encounter")


def test_an_edition_has_a_limited_number_of_orders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "MOST_ORDERS", 1)
    subject = fair(AB, AC, CD)
    do(subject, order(AC, AB), order(AC, AB))
    with pytest.raises(EditRejected) as refused:
        plan_edit(subject.state, order(CD, AB), subject.now)
    assert refused.value.code == "too-many-orders"
    do(subject, order(AC, AB, is_ordered=False), order(CD, AB))


def test_a_repeated_order_and_the_end_of_no_order_change_nothing() -> None:
    subject = fair(AB, CD)
    do(subject, order(AB, CD))
    assert not do(subject, order(AB, CD)).after
    assert not do(subject, order(CD, AB, is_ordered=False)).after
    assert len(subject.state.edits) == 1


def test_an_insert_moves_ordered_meetings_along() -> None:
    subject = fair(AB, CD, slots=2)
    do(subject, order(AB, CD))
    subject.consume(affinity(*CD, revision=2, consent="refused"))
    do(subject, put(AB, 0), lock(AB, is_locked=False))
    subject.consume(affinity(*CD, revision=3))
    assert slots(subject, CD, AB) == [0, 1]
    check(subject)


def test_an_earlier_meeting_is_not_moved_behind_a_later_meeting() -> None:
    subject = fair(AB, CD)
    do(subject, put(AB, 2), put(CD, 0), order(AB, CD), lock(CD, is_locked=False))
    subject.consume(participant("c", revision=2, available=(window(1, 4),)))
    assert slots(subject, CD, AB) == [1, 2]
    subject.consume(participant("c", revision=3, available=(window(2, 4),)))
    assert slots(subject, CD, AB) == [None, 2]
    assert subject.state.waiting[pair(*CD)] == "no_slot_in_order"
    do(subject, lock(AB, is_locked=False))
    subject.consume(participant("c", revision=4, available=(window(2, 3),)))
    assert slots(subject, CD, AB) == [2, 3]
    check(subject)


def test_a_cancelled_meeting_orders_nothing_until_it_returns() -> None:
    subject = fair(AB, CD)
    do(subject, order(AB, CD))
    subject.consume(participant("c", revision=2, status="cancelled"))
    do(subject, put(AB, 0))
    subject.consume(participant("c", revision=3))
    assert subject.state.waiting[pair(*CD)] == "no_slot_in_order"
    do(subject, order(AB, CD, is_ordered=False))
    assert subject.slot(*CD) is not None or improved(subject).slot(*CD) is not None


def test_an_undone_order_keeps_present_places() -> None:
    subject = fair(AB, CD)
    subject.consume(affinity(*AB, revision=2, consent="pending"))
    do(subject, order(AB, CD))
    subject.consume(affinity(*AB, revision=3))
    placed = dict(subject.state.placements)
    assert placed.keys() == {pair(*AB), pair(*CD)}
    do(subject, UndoEdit())
    assert (subject.state.placements, subject.state.comes_after) == (placed, {})


def test_an_undone_order_moves_meetings_in_its_way() -> None:
    subject = fair(AB, CD)
    do(subject, put(AB, 2, "W1"), put(CD, 3, "W1"), lock(AB, is_locked=False), lock(CD, is_locked=False))
    do(subject, order(AB, CD))
    assert slots(subject, CD, AB) == [0, 2]
    seat(subject, AB, 3)
    do(subject, UndoEdit())
    assert slots(subject, CD, AB) == [3, 3]
    assert (subject.table(*CD), subject.table(*AB)) == ("W1", "W2")


def seat(subject: Edition, sides: Sides, slot: int) -> None:
    """Return a place that the scheduler could have chosen itself."""
    decision = subject.decision()
    decision.place_all({pair(*sides): Assignment(1 << slot, "work", "W1")}, Cause(code="improved", subject_id="ed"))
    subject.finish(decision)


def test_an_undone_order_places_no_pair_that_waited_before_it() -> None:
    """a has time for b since a2 took the encounter with c over: it is not for an undo to say so."""
    ef = ("e", "f")
    subject = Edition(edition(slots=2), *people("a", "a2", organisation_id="org-a"), *people("b", "c", "d", "e", "f"))
    subject.consume(affinity("e", "f"), affinity("a", "c"))
    subject.consume(affinity("a", "d"))
    subject.consume(affinity("a", "b"))
    do(subject, put(ef, 1))
    do(subject, SwapRepresentative(encounter_id=encounter_id("ed", "a", "c"), participant_id="a", by="a2"))
    before = {pair: arrangement_of(subject.state, pair) for pair in subject.state.pairs}
    assert before[pair(*AB)].place is None
    do(subject, order(AB, ef))

    do(subject, UndoEdit())

    assert {pair: arrangement_of(subject.state, pair) for pair in subject.state.pairs} == before


def test_a_restored_order_moves_the_meetings_that_it_must() -> None:
    subject = fair(AB, CD)
    do(subject, order(AB, CD), order(AB, CD, is_ordered=False))
    seat(subject, CD, 3)
    seat(subject, AB, 0)
    planned = do(subject, UndoEdit())
    assert len(planned.after) == 2
    assert subject.state.comes_after == {pair(*AB): (pair(*CD),)}
    ab, cd = slots(subject, AB, CD)
    assert ab is not None
    assert cd is not None
    assert cd < ab


def test_a_begun_meeting_gets_no_order_but_may_lose_it() -> None:
    subject = fair(AB, CD, AC)
    do(subject, order(AB, CD))
    subject.consume(participant("d", revision=2, status="cancelled"))
    do(subject, put(AB, 1, "W1"), order(AC, AB))
    subject.consume(edition(revision=2, phase="live"))
    subject.now = at(1)
    with pytest.raises(EditRejected) as refused:
        plan_edit(subject.state, order(AB, AC), subject.now)
    assert refused.value.code == "begun"
    subject.consume(participant("d", revision=3))
    assert subject.state.waiting[pair(*CD)] == "no_slot_in_order"
    with pytest.raises(RulesBroken, match="out_of_order"):
        do(subject, put(CD, 2, "W2"))
    do(subject, order(AB, CD, is_ordered=False), put(CD, 2, "W2"))
    with pytest.raises(RulesBroken, match="out_of_order"):
        do(subject, put(AC, 1, "W2"))


@pytest.mark.parametrize("is_before", [True, False])
def test_a_meeting_held_after_all_moves_meetings_out_of_order(is_before: bool) -> None:
    subject = fair(AB, CD)
    one, other = (CD, AB) if is_before else (AB, CD)
    do(subject, order(one, other), put(AB, 0), *([put(CD, 3)] if is_before else []))
    subject.consume(edition(revision=2, phase="live"))
    subject.now = at(0.2)
    report(subject, AB, "missed", "a")
    if not is_before:
        subject.consume(affinity(*CD, revision=2, priority=3))
        assert subject.slot(*CD) is not None
    report(subject, AB, "held")
    assert subject.slot(*AB) == 0
    assert (subject.slot(*CD) is None) != is_before
    check(subject)


def report(subject: Edition, sides: Sides, outcome: str, *absent: str) -> None:
    decision = subject.decision()
    record_attendance(decision, encounter_id("ed", *sides), AttendanceReport(outcome=outcome, absent=absent))
    subject.finish(decision)


def test_a_meeting_between_the_slots_has_slots_before_and_after() -> None:
    """It has begun when the slots are moved in time under it: history, which no slot of the board may show."""
    subject = fair(AB, CD, phase="live")
    do(subject, order(AB, CD), put(CD, 1))
    subject.now = at(1.1)
    subject.consume(edition(revision=2, phase="live", shift=0.5))
    assert subject.state.placements[pair(*CD)].starts_at == at(1)
    assert subject.slot(*AB) in {2, 3}
    check(subject)
    subject.consume(edition(revision=3, phase="live", shift=4))
    assert subject.slot(*AB) is not None
    check(subject)

    subject = fair(AB, CD, phase="live")
    do(subject, order(AB, CD))
    subject.consume(participant("d", revision=2, status="cancelled"))
    do(subject, put(AB, 0))
    subject.now = at(0.1)
    subject.consume(edition(revision=2, phase="live", shift=4), participant("d", revision=3))
    assert slots(subject, CD) == [None]
    assert subject.state.waiting[pair(*CD)] == "no_slot_in_order"
    check(subject)


@pytest.mark.parametrize("phase", ["open", "published"])
def test_an_improvement_keeps_orders_and_places_no_fewer_meetings(phase: str) -> None:
    subject = fair(*EVERYBODY, slots=9, zones=(workspace(4), HALL), phase=phase)
    ordered = [(pair(*earlier), pair(*later)) for earlier, later in pairwise(EVERYBODY[::5])]
    for earlier, later in pairwise(EVERYBODY[::5]):
        do(subject, order(later, earlier))
    decision = subject.decision()
    announce(decision)
    subject.finish(decision)
    assert subject.state.announced == (phase == "published")
    seats = improve(problem_of(subject.state, NOW, 3), Effort(seed=7, rounds=3, round_effort=0.02)).assignments
    assert len(seats) >= len(subject.state.placements)
    both = [each for each in ordered if seats.keys() >= set(each)]
    assert len(both) > 2
    assert all(seats[earlier].slots < seats[later].slots for earlier, later in both)
    improved(subject, 3)
    assert len(subject.state.placements) == len(seats)
    assert not subject.state.has_new_inputs


def test_an_order_changes_the_problem_and_the_solution_keeps_it() -> None:
    subject = fair(AB, CD)
    first = problem_of(subject.state, NOW, 3)
    do(subject, order(AB, CD))
    assert not problem_of(subject.state, NOW, 3).has_same_solution_as(first)
    assert improved(subject).state.certificate is not None
