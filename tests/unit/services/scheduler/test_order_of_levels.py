"""The effect of the order of levels on placement and improvement, before and after the announcement."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from services.scheduler.domain.improvement.adopt import adopt, announce
from services.scheduler.domain.improvement.problem import Solution, SolverProblem, problem_of
from services.scheduler.domain.objective.levels import SearchPolicy, search_policy_of
from services.scheduler.domain.organiser.edits import apply_edit
from services.scheduler.solver.bound import placement_bound
from services.scheduler.solver.construct import construct
from services.scheduler.solver.effort import Effort
from services.scheduler.solver.improve import improve
from shared.contract.events import Event, Level, WaitingReason
from shared.contract.ids import encounter_id
from shared.internal_api.edits import LockEncounter
from tests.support.scheduler_editions import (
    HALL,
    NOW,
    Edition,
    affinity,
    edition,
    pair,
    participant,
    people,
    window,
    workspace,
)

EFFORT = Effort(rounds=1, round_effort=0.01, steps=2000)
AB, AC = pair("a", "b"), pair("a", "c")


def order(*first: Level) -> tuple[Level, ...]:
    """Return an order with these levels first, then the rest as usual."""
    return (*first, *(level for level in Level if level not in first))


MOVES_FIRST = order(Level.MOVES)
BREAKS_EARLY = order(Level.PLACED, Level.FLOOR, Level.BREAKS)
FLOOR_FIRST = order(Level.FLOOR)


@pytest.mark.parametrize(
    ("levels", "policy"),
    [
        (tuple(Level), SearchPolicy(moves_to_place=True, moves_against_breaks=False, is_fair_first=False)),
        (MOVES_FIRST, SearchPolicy(moves_to_place=False, moves_against_breaks=False, is_fair_first=False)),
        (BREAKS_EARLY, SearchPolicy(moves_to_place=True, moves_against_breaks=True, is_fair_first=False)),
        (FLOOR_FIRST, SearchPolicy(moves_to_place=True, moves_against_breaks=False, is_fair_first=True)),
        (order(Level.BREAKS, Level.MOVES), SearchPolicy(False, True, False)),
        (order(Level.TABLE_CHANGES), search_policy_of(tuple(Level))),
    ],
)
def test_the_search_policy_of_an_order(levels: tuple[Level, ...], policy: SearchPolicy) -> None:
    assert search_policy_of(levels) == policy


def announced(subject: Edition, **fields: Any) -> Edition:
    """Publish and announce the edition."""
    subject.consume(edition(revision=9, phase="published", **fields))
    decision = subject.decision()
    announce(decision)
    subject.finish(decision)
    return subject


def full(levels: tuple[Level, ...], tables: int = 1) -> Edition:
    """An announced edition: a meets b in the first slot, and c is present in that slot only."""
    fields: dict[str, Any] = {"zones": (workspace(tables), HALL), "levels": levels}
    subject = announced(Edition(edition(**fields), *people("a", "b", "d"), affinity("a", "b")), **fields)
    subject.consume(participant("c", available=(window(0, 1),)))
    return subject


def lock(subject: Edition, *, is_locked: bool) -> None:
    decision = subject.decision()
    apply_edit(decision, LockEncounter(encounter_id=encounter_id("ed", "a", "b"), is_locked=is_locked), "*")
    subject.finish(decision)


def improved(subject: Edition, change_budget: int = 3) -> tuple[SolverProblem, Solution, bool]:
    problem = problem_of(subject.state, NOW, change_budget)
    solution, decision = improve(problem, EFFORT), subject.decision()
    moved = adopt(decision, solution)
    subject.finish(decision)
    return problem, solution, moved


@pytest.mark.parametrize(("levels", "places"), [(tuple(Level), (1, 0)), (MOVES_FIRST, (0, None))])
def test_with_moves_first_no_published_meeting_gives_way_to_a_newcomer(
    levels: tuple[Level, ...], places: tuple[int, int | None]
) -> None:
    subject = full(levels)
    subject.consume(affinity("a", "c"))
    assert (subject.slot("a", "b"), subject.slot("a", "c")) == places
    if places[1] is None:
        assert subject.state.waiting == {AC: WaitingReason.AGENDAS_FULL}


def test_before_the_announcement_meetings_give_way_in_any_order() -> None:
    late = participant("c", available=(window(0, 1),))
    subject = Edition(edition(levels=MOVES_FIRST), *people("a", "b"), late, affinity("a", "b"), affinity("a", "c"))
    assert (subject.slot("a", "b"), subject.slot("a", "c")) == (1, 0)


def test_with_moves_first_a_displaced_meeting_gets_another_slot() -> None:
    subject = full(MOVES_FIRST, tables=2)
    subject.consume(affinity("a", "d"))
    assert (subject.slot("a", "b"), subject.slot("a", "d")) == (0, 1)
    subject.consume(participant("b", revision=2, available=(window(2, 4),)))
    assert subject.slot("a", "b") == 2


@pytest.mark.parametrize(("levels", "places"), [(tuple(Level), {AB: 2, AC: 1}), (MOVES_FIRST, {AB: 1})])
def test_with_moves_first_an_improvement_moves_nothing_to_place_more(
    levels: tuple[Level, ...], places: dict[str, int]
) -> None:
    subject = full(levels)
    lock(subject, is_locked=True)
    subject.consume(affinity("a", "c"))
    lock(subject, is_locked=False)
    assert set(subject.state.waiting) == {AC}
    _, solution, _ = improved(subject)
    assert {pair_id: assignment.slots for pair_id, assignment in solution.assignments.items()} == places


def with_breaks(levels: tuple[Level, ...]) -> Edition:
    """An announced edition in which a and d have a break: c and f were present late only, and now are all day."""
    fields: dict[str, Any] = {"slots": 6, "levels": levels}
    late = [participant(name, available=(window(3, 4),)) for name in "cf"]
    subject = Edition(edition(**fields), *people("a", "b", "d", "e"), *late)
    subject.consume(affinity("a", "b"), affinity("d", "e"))
    subject.consume(affinity("a", "c"), affinity("d", "f"))
    subject.consume(participant("c", revision=2), participant("f", revision=2))
    return announced(subject, **fields)


@pytest.mark.parametrize(
    ("levels", "change_budget", "breaks"), [(tuple(Level), 3, 2), (BREAKS_EARLY, 3, 0), (BREAKS_EARLY, 1, 1)]
)
def test_with_breaks_before_moves_an_improvement_moves_against_breaks(
    levels: tuple[Level, ...], change_budget: int, breaks: int
) -> None:
    subject = with_breaks(levels)
    before = dict(subject.state.placements)
    problem, _, moved = improved(subject, change_budget)
    after = subject.state.placements
    assert problem.search_policy == search_policy_of(levels)
    assert moved == (breaks < 2)
    assert after.keys() == before.keys()
    assert sum(after[pair_id] != before[pair_id] for pair_id in after) == 2 - breaks
    assert subject.state.certificate
    assert {result.level: result.value for result in subject.state.certificate.levels}[Level.BREAKS] == breaks


def test_moves_against_breaks_survive_rebasing() -> None:
    subject = with_breaks(BREAKS_EARLY)
    solution = improve(problem_of(subject.state, NOW, 3), EFFORT)
    subject.consume(*people("g", "h"), affinity("g", "h"))
    decision = subject.decision()
    assert adopt(decision, solution)
    subject.finish(decision)
    assert any(
        subject.state.board.placed[pair_id][1] == solution.assignments[pair_id]
        for pair_id in solution.assignments
        if solution.moves(pair_id)
    )


def test_breaks_then_moves_then_placed_moves_against_breaks_alone() -> None:
    subject = with_breaks(order(Level.BREAKS, Level.MOVES))
    problem, _, moved = improved(subject)
    assert problem.change_budget == 3
    assert problem.budget_to_place == 0
    assert moved


def crowded(seed: int) -> list[Event]:
    """Ten participants, some of them popular, with more demand than two tables hold in four slots."""
    chance = random.Random(seed)  # noqa: S311 - an example
    names = [f"p{n}" for n in range(10)]
    pairs = {tuple(sorted(chance.sample(names[: chance.choice([4, 10])], 2))) for _ in range(24)}
    return [*people(*names), *(affinity(*sides, priority=chance.randint(1, 3)) for sides in sorted(pairs))]


def test_with_the_floor_first_the_fairest_agenda_is_taken() -> None:
    gains = 0
    for seed in range(12):
        fair = problem_of(Edition(edition(levels=FLOOR_FIRST), *crowded(seed)).state, NOW, 0)
        most, usual = placement_bound(fair), replace(fair, search_policy=search_policy_of(tuple(Level)))
        weight, as_usual = (fair.weight(construct(problem, most, seed)) for problem in (fair, usual))
        assert weight >= as_usual
        gains += weight > as_usual
    assert gains >= 10


@pytest.mark.parametrize("seed", range(3))
def test_with_the_floor_first_an_improvement_does_not_lower_it(seed: int) -> None:
    subject = Edition(edition(levels=FLOOR_FIRST), *crowded(seed))
    problem, _, _ = improved(subject)
    built = construct(problem, placement_bound(problem), EFFORT.seed)
    assert problem.weight(subject.state.board) >= problem.weight(built)
