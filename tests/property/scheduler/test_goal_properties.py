"""Property: goals change the choice of placed meetings, never their number or priority."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.scheduler.domain.improvement.problem import Solution, SolverProblem, problem_of
from services.scheduler.domain.objective.priority import demand_total
from services.scheduler.solver.effort import Effort
from services.scheduler.solver.improve import improve
from shared.contract.events import AffinityScored, Goal
from tests.support.scheduler_editions import (
    HALL,
    NOW,
    Edition,
    affinity,
    edition,
    organisation,
    participant,
    workspace,
)

PEOPLE = [f"p{n}" for n in range(8)]
COUNTRIES = ["ES", "PT", "MX"]
QUICK = Effort(seed=3, rounds=4, round_effort=0.1, steps=50)

pairs = st.lists(st.sampled_from(PEOPLE), min_size=2, max_size=2, unique=True).map(sorted).map(tuple)
demands = st.dictionaries(pairs, st.tuples(st.integers(1, 3), st.floats(0, 1, width=16)), min_size=1, max_size=16)


def improved(
    wanted: list[AffinityScored], countries: list[str], rooms: tuple[int, int], **fields: Any
) -> SolverProblem:
    slots, tables = rooms
    rules = edition(slots=slots, zones=(workspace(tables), HALL), **fields)
    known = [organisation(f"org-{name}", country=country) for name, country in zip(PEOPLE, countries, strict=True)]
    return problem_of(Edition(rules, *known, *map(participant, PEOPLE), *wanted).state, NOW, 0)


def value(problem: SolverProblem, solution: Solution) -> tuple[int, int, int]:
    return demand_total(
        [candidate.demand for candidate in problem.candidates if candidate.meeting.pair_id in solution.assignments]
    )


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    demands,
    st.lists(st.sampled_from(COUNTRIES), min_size=len(PEOPLE), max_size=len(PEOPLE)),
    st.tuples(st.integers(1, 3), st.integers(1, 3)),
)
def test_a_goal_is_served_without_loss_of_placed_meetings_or_priority(
    wanted: dict[tuple[str, str], tuple[int, float]], countries: list[str], rooms: tuple[int, int]
) -> None:
    events = [affinity(*both, priority=priority, score=score) for both, (priority, score) in wanted.items()]
    aimless, aimed = (improved(events, countries, rooms, goals=goals) for goals in ((), (Goal.CROSS_BORDER,)))
    without, reached = improve(aimless, QUICK), improve(aimed, QUICK)
    assert value(aimed, reached) >= value(aimed, without)
    assert value(aimless, reached)[:2] == value(aimless, without)[:2]
