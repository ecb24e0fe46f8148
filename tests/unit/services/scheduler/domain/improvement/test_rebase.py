"""Re-base of a solution after inputs that arrived during the improvement."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from services.scheduler.domain.improvement.adopt import adopt, announce
from services.scheduler.domain.improvement.problem import Solution, problem_of
from services.scheduler.domain.improvement.rebase import rebased
from services.scheduler.domain.organiser.edits import apply_edit
from services.scheduler.domain.timetable.board import Assignment
from services.scheduler.domain.verification import violations_of
from shared.contract.ids import encounter_id
from shared.internal_api.edits import LockEncounter
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

AB, AC, AD, DE, EF = (pair(*sides) for sides in ("ab", "ac", "ad", "de", "ef"))


def seat(slot: int, table: int = 1) -> Assignment:
    return Assignment(1 << slot, "work", f"W{table}")


def proposed(subject: Edition, seats: dict[str, Assignment], change_budget: int = 3) -> Solution:
    """A solution of the edition as it is, with these seats."""
    problem = problem_of(subject.state, subject.now, change_budget)
    return replace(problem.solved(problem.board(), len(seats)), assignments=seats)


def take_over(subject: Edition, solution: Solution) -> bool:
    decision = subject.decision()
    moved = adopt(decision, solution)
    subject.finish(decision)
    assert not violations_of(subject.state, subject.state.placements, subject.now)
    return moved


def seats_of(subject: Edition) -> dict[str, Assignment]:
    return {each: there for each, (_, there) in subject.state.board.placed.items()}


def told(subject: Edition, **fields: Any) -> Edition:
    """The same, announced."""
    subject.consume(edition(revision=9, **fields))
    decision = subject.decision()
    announce(decision)
    subject.finish(decision)
    return subject


def with_a_break(tables: int = 1) -> Edition:
    """a meets b at once and c after a break, for c came late and does not any more."""
    late = participant("c", available=(window(2, 4),))
    subject = Edition(edition(zones=(workspace(tables), HALL)), *people("a", "b", "d", "e", "f"), late)
    subject.consume(affinity("a", "b"))
    subject.consume(affinity("a", "c"), participant("c", revision=2))
    assert seats_of(subject) == {AB: seat(0), AC: seat(2)}
    return subject


def test_a_better_agenda_is_adopted_around_a_new_meeting() -> None:
    subject = with_a_break()
    solution = proposed(subject, {AB: seat(0), AC: seat(1)})
    subject.consume(affinity("d", "e"))
    assert seats_of(subject)[DE] == seat(1)
    assert take_over(subject, solution)
    assert seats_of(subject) == {AB: seat(0), AC: seat(1), DE: seat(2)}
    assert subject.state.has_new_inputs


def test_a_lost_table_is_replaced_at_the_solved_time() -> None:
    subject = with_a_break(tables=2)
    subject.consume(affinity("d", "e"))
    solution = proposed(subject, {AB: seat(0, 2), AC: seat(1, 2), DE: seat(0)})
    subject.consume(edition(revision=2, zones=(workspace(1), HALL)), participant("e", revision=2, status="cancelled"))
    assert take_over(subject, solution)
    assert seats_of(subject) == {AB: seat(0), AC: seat(1)}


@pytest.mark.parametrize("favourite", ["b", "c"])
def test_a_re_base_places_the_highest_demand_first(favourite: str) -> None:
    subject = with_a_break()
    solution = proposed(subject, {AB: seat(0), AC: seat(1)})
    quota = edition(revision=2, zones=(workspace(1), HALL), quotas={"max_encounters": 1})
    subject.consume(affinity("a", favourite, revision=2, priority=3), quota)
    assert rebased(subject.state, solution, NOW) == ({AB: seat(0)} if favourite == "b" else {AC: seat(1)})


def test_a_re_base_makes_room_for_a_meeting_without_an_assignment() -> None:
    subject = Edition(edition(slots=3, zones=(workspace(1), HALL)), *people("a", "b", "c", "d"))
    subject.consume(affinity("a", "b"), affinity("a", "c", score=0.1))
    solution = proposed(subject, {AB: seat(0), AC: seat(1)})
    subject.consume(participant("d", revision=2, available=(window(0, 1),)), affinity("a", "d", score=0.1))
    assert set(rebased(subject.state, solution, NOW)) == {AB, AC, AD}


def test_an_agenda_that_is_worse_after_the_re_base_is_not_adopted() -> None:
    subject = with_a_break()
    subject.consume(participant("c", revision=3, available=(window(1, 2),)))
    before = seats_of(subject)
    assert before == {AB: seat(0), AC: seat(1)}
    solution = proposed(subject, {AB: seat(3), AC: seat(1)})
    subject.consume(affinity("d", "e"))
    assert not take_over(subject, solution)
    assert seats_of(subject).items() >= before.items()


def test_a_solution_for_an_older_version_proves_no_bounds() -> None:
    subject = with_a_break()
    solution = proposed(subject, {AB: seat(0), AC: seat(1)})
    subject.consume(*(affinity("d", each) for each in "aef"))
    take_over(subject, solution)
    certificate = subject.state.certificate
    assert certificate is not None
    assert (certificate.placed, certificate.bound) == (4, 5)


def a_fair(tables: int = 2, phase: str = "published") -> tuple[Edition, Solution]:
    """An announced edition in which a meets b first, so that c waits for that slot; and its solution."""
    fields: dict[str, Any] = {"zones": (workspace(tables), HALL), "freeze_minutes": 30}
    subject = Edition(edition(**fields), *people("a", "b", "d", "e", "f"), affinity("a", "b"))
    told(subject, phase=phase, **fields)
    lock(subject, is_locked=True)
    subject.consume(participant("c", available=(window(0, 1),)), affinity("a", "c"))
    lock(subject, is_locked=False)
    assert set(subject.state.waiting) == {AC}
    return subject, proposed(subject, {AB: seat(1), AC: seat(0)})


def test_no_meeting_is_adopted_into_a_slot_that_has_closed() -> None:
    live: dict[str, Any] = {"phase": "live", "freeze_minutes": 30}
    subject = Edition(edition(**live), *people("a", "b", "d", "e"), affinity("a", "b"), affinity("d", "e"))
    assert seats_of(subject) == {AB: seat(0), DE: seat(1)}
    solution = proposed(subject, {AB: seat(0), DE: seat(0, 2)})
    assert rebased(subject.state, solution, at(-2.5))[DE] == seat(0, 2)
    subject.now = at(-2)
    assert not take_over(subject, solution)
    assert seats_of(subject)[DE] == seat(1)


def lock(subject: Edition, *, is_locked: bool) -> None:
    decision = subject.decision()
    apply_edit(decision, LockEncounter(encounter_id=encounter_id("ed", "a", "b"), is_locked=is_locked), "*")
    subject.finish(decision)


def test_after_the_announcement_only_solved_moves_are_made() -> None:
    subject, solution = a_fair()
    subject.consume(affinity("d", "e"))
    assert seats_of(subject)[DE] == seat(1)
    assert take_over(subject, solution)
    assert seats_of(subject) == {AB: seat(1, 2), AC: seat(0), DE: seat(1)}


def test_a_blocked_move_also_cancels_the_moves_that_need_it() -> None:
    subject, solution = a_fair(tables=1)
    subject.consume(affinity("e", "f"))
    assert seats_of(subject) == {AB: seat(0), EF: seat(1)}
    solution = proposed(subject, {AB: seat(1), AC: seat(0), EF: seat(2)})
    subject.consume(affinity("b", "d"), affinity("d", "e"))
    before = seats_of(subject)
    assert {each.slots for each in before.values()} == {1, 2, 4, 8}
    assert rebased(subject.state, solution, NOW) == before
    assert not take_over(subject, solution)


def test_no_meeting_moves_for_a_pair_that_has_gone() -> None:
    subject, solution = a_fair()
    subject.consume(participant("c", revision=2, status="cancelled"))
    assert rebased(subject.state, solution, NOW) == seats_of(subject)


def test_a_re_base_keeps_the_change_budget() -> None:
    subject, solution = a_fair()
    subject.consume(affinity("d", "e"))
    assert rebased(subject.state, replace(solution, change_budget=0), NOW) == seats_of(subject)


def test_an_unsolved_meeting_keeps_its_place_after_the_announcement() -> None:
    subject, solution = a_fair()
    subject.consume(affinity("d", "e"))
    assert rebased(subject.state, replace(solution, assignments={}), NOW) == seats_of(subject)


def test_a_re_base_keeps_locked_and_frozen_meetings() -> None:
    subject, solution = a_fair()
    lock(subject, is_locked=True)
    assert rebased(subject.state, solution, NOW)[AB] == seat(0)
    subject, solution = a_fair(phase="live")
    assert rebased(subject.state, solution, at(-2.5)) == {AB: seat(1), AC: seat(0)}
    assert rebased(subject.state, solution, at(-2)) == {AB: seat(0)}
