"""The levels of the objective: their values, their bounds, and the order an edition gives them."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from services.scheduler.domain.improvement.adopt import adopt, announce
from services.scheduler.domain.improvement.problem import problem_of
from services.scheduler.domain.objective.levels import objective_value, results
from services.scheduler.domain.timetable.board import Assignment
from services.scheduler.solver.effort import Effort
from services.scheduler.solver.improve import improve
from shared.contract.events import Level
from tests.support.scheduler_editions import NOW, Edition, affinity, edition, pair, participant, people, window

AB, AC, BC = pair("a", "b"), pair("a", "c"), pair("b", "c")


def three(**fields: Any) -> Edition:
    return Edition(edition(slots=4, **fields), *people("a", "b", "c"), affinity("a", "b"), affinity("a", "c"))


def assignments_at(**slots: int) -> dict[str, Assignment]:
    return {pair(*name): Assignment(1 << slot, "work", f"W{1 + slot % 2}") for name, slot in slots.items()}


def value(subject: Edition, level: Level, **slots: int) -> float:
    return objective_value(subject.state, assignments_at(**slots)).values[list(Level).index(level)]


def test_the_values_of_the_levels() -> None:
    subject = three()
    assert value(subject, Level.PLACED, ab=0) == 1
    assert value(subject, Level.FLOOR, ab=0) == 0
    assert value(subject, Level.FLOOR, ab=0, ac=1) == 1
    assert value(subject, Level.BREAKS, ab=0, ac=3) == 1
    assert value(subject, Level.BREAKS, ab=0, ac=1) == 0
    assert value(subject, Level.TABLE_CHANGES, ab=0, ac=1) == 1
    assert value(subject, Level.TABLE_CHANGES, ab=0, ac=2) == 0


def test_moves_count_from_the_announcement_on() -> None:
    subject = three()
    assert value(subject, Level.MOVES, ab=3, ac=2) == 0
    subject.consume(edition(revision=2, phase="published"))
    decision = subject.decision()
    announce(decision)
    subject.finish(decision)
    assert value(subject, Level.MOVES, ab=3, ac=2) == 2


@pytest.mark.parametrize(
    ("first", "better"), [("placed", {"ab": 0, "ac": 3}), ("breaks", {"ab": 0}), ("floor", {"ab": 0, "ac": 3})]
)
def test_the_order_of_the_levels_decides(first: str, better: dict[str, int]) -> None:
    order = (first, *(level for level in Level if level != first))
    subject = three(levels=order)
    poorer = {"ab": 0} if better != {"ab": 0} else {"ab": 0, "ac": 3}
    assert (
        objective_value(subject.state, assignments_at(**better)).ranks
        < objective_value(subject.state, assignments_at(**poorer)).ranks
    )


def test_a_repeated_level_is_rejected() -> None:
    with pytest.raises(ValidationError, match="levels must name each of"):
        edition(levels=("placed", "placed", "floor", "moves", "breaks"))


def test_the_certificate_has_a_bound_for_every_level() -> None:
    subject = Edition(
        edition(slots=2),
        participant("a", available=(window(0, 1),)),
        *people("b", "c"),
        *(affinity("a", partner) for partner in "bc"),
    )
    decision = subject.decision()
    adopt(decision, improve(problem_of(subject.state, NOW, 0), Effort(steps=10)))
    certificate = subject.state.certificate
    assert certificate is not None
    levels = {result.level: result for result in certificate.levels}
    assert list(levels) == list(Level)
    assert (levels[Level.PLACED].value, levels[Level.PLACED].bound, levels[Level.PLACED].gap) == (1, 1, 0)
    assert (levels[Level.FLOOR].value, levels[Level.FLOOR].bound) == (0, 0.5)
    assert results(subject.state, 2, 0)[0].gap == 0.5
