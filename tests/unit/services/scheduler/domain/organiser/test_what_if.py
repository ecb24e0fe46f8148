"""Gains of more tables, slots or days, without a change of the agenda."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pydantic import ValidationError

from services.scheduler.domain.improvement.adopt import announce
from services.scheduler.domain.organiser.errors import EditRejected
from services.scheduler.domain.organiser.what_if import problem_with
from services.scheduler.solver.effort import Effort
from services.scheduler.solver.improve import improve
from shared.internal_api.edits import More
from tests.support.scheduler_editions import (
    HALL,
    Edition,
    affinity,
    at,
    edition,
    participant,
    people,
    session,
    window,
    workspace,
)

EFFORT = Effort(seed=7, rounds=2, round_effort=0.02)


def crowded(**fields: object) -> Edition:
    """Four participants want all six meetings, at a single table in two slots: two meetings have a place."""
    names = "abcd"
    wishes = [affinity(one, other) for one in names for other in names if one < other]
    fields = {"slots": 2, "zones": (workspace(1), HALL), **fields}
    return Edition(edition(**fields), *people(*names), *wishes)  # type: ignore[arg-type]


def gain(subject: Edition, **more: object) -> tuple[int, int]:
    """Return the number of meetings placed then, and its upper bound."""
    before = subject.state.model_dump()
    problem = problem_with(subject.state, More.model_validate(more), subject.now, 4)
    solution = improve(problem, EFFORT)
    assert subject.state.model_dump() == before
    assert subject.state.timeline.all_slots == (1 << len(subject.state.edition.slots)) - 1  # type: ignore[union-attr]
    return len(solution.assignments), solution.bound


@pytest.mark.parametrize(
    ("more", "placed"),
    [
        ({}, 2),
        ({"tables": 1}, 4),
        ({"tables": 5}, 4),
        ({"tables": 1, "zone_id": "hall"}, 4),
        ({"slots": 1}, 3),
        ({"slots": 1, "tables": 1}, 6),
        ({"days": 1}, 4),
        ({"days": 2}, 6),
    ],
)
def test_a_what_if_question_counts_the_meetings_gained(more: dict[str, object], placed: int) -> None:
    assert gain(crowded(), **more) == (placed, placed)


def test_an_announced_edition_gains_by_a_new_slot() -> None:
    subject = crowded()
    subject.consume(edition(slots=2, zones=(workspace(1), HALL), revision=2, phase="published"))
    decision = subject.decision()
    announce(decision)
    subject.finish(decision)
    assert gain(subject, slots=1) == (3, 3)


def test_new_slots_are_outside_the_given_hours_of_a_participant() -> None:
    subject = crowded()
    subject.consume(*(participant(name, revision=2, available=(window(0, 2),)) for name in "abc"))
    assert gain(subject, slots=3) == (2, 2)
    subject.consume(*(participant(name, revision=3, available=(window(0, 9),)) for name in "abc"))
    assert gain(subject, slots=1) == (3, 3)


def test_a_session_after_the_last_slot_takes_time_of_a_new_slot() -> None:
    subject = crowded(sessions=(session("k", 2, 3),))
    subject.consume(*(participant(name, revision=2, session_ids=("k",)) for name in "abcd"))
    assert gain(subject, slots=1) == (2, 2)
    assert gain(subject, slots=2) == (3, 3)


def test_new_slots_keep_pauses_and_local_hours() -> None:
    subject = crowded(timezone="Europe/Madrid")
    edition_then = problem_with(subject.state, More(slots=1, days=1), subject.now, 0)
    assert edition_then.all_slots == 0b111111
    assert edition_then.days == (0b000111, 0b111000)


def test_in_a_live_edition_new_slots_are_open_and_begun_slots_closed() -> None:
    subject = crowded()
    subject.consume(edition(slots=2, zones=(workspace(1), HALL), revision=2, phase="live"))
    subject.now = at(1.5)
    assert gain(subject, slots=1) == (3, 3)
    assert gain(subject, tables=1) == (2, 2)


@pytest.mark.parametrize(
    ("of", "more", "code"),
    [
        (Edition, {}, "unknown-edition"),
        (lambda: crowded(phase="closed"), {}, "closed"),
        (crowded, {"tables": 1, "zone_id": "garden"}, "unknown-zone"),
        (lambda: crowded(zones=(HALL,)), {"tables": 1}, "unknown-zone"),
        (lambda: crowded(slots=0), {"slots": 1}, "no-such-slot"),
    ],
)
def test_an_impossible_question_is_rejected(of: Callable[[], Edition], more: dict[str, object], code: str) -> None:
    subject = of()
    with pytest.raises(EditRejected) as refused:
        problem_with(subject.state, More.model_validate(more), subject.now, 0)
    assert refused.value.code == code


def test_more_slots_that_have_begun_gain_nothing() -> None:
    subject = crowded()
    subject.now = at(2)  # both slots are over; the third has begun
    assert gain(subject, slots=1)[0] == gain(subject)[0]
    assert gain(subject, days=1)[0] > gain(subject)[0]


@pytest.mark.parametrize("more", [{"tables": -1}, {"slots": 41}, {"days": 6}, {"rooms": 1}])
def test_a_malformed_question_is_rejected(more: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        More.model_validate(more)
