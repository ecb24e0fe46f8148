from __future__ import annotations

from dataclasses import replace

import pytest

from services.scheduler.domain.improvement.problem import SolverProblem, problem_of
from shared.contract.events import Event
from tests.support.scheduler_editions import NOW, Edition, affinity, edition, participant, people, window


def asked(*events: Event) -> SolverProblem:
    return problem_of(Edition(edition(), *people("a", "b", "c"), affinity("a", "b"), *events).state, NOW, 3)


def test_the_incumbent_counts_only_after_the_announcement() -> None:
    first = asked()
    assert first.incumbent
    later = replace(first, version=first.version + 1, incumbent={})
    assert later.has_same_solution_as(first)
    assert not replace(later, announced=True).has_same_solution_as(replace(first, announced=True))
    assert replace(first, announced=True, version=9).has_same_solution_as(replace(first, announced=True))


@pytest.mark.parametrize(
    "news",
    [
        affinity("b", "c"),
        affinity("a", "b", revision=2, priority=3),
        participant("a", revision=2, available=(window(0, 2),)),
        edition(slots=5, revision=2),
        edition(revision=2, quotas={"max_encounters": 1}),
    ],
)
def test_a_new_input_changes_the_problem(news: Event) -> None:
    assert not asked(news).has_same_solution_as(asked())


def test_a_new_phase_does_not_change_the_problem() -> None:
    assert asked(edition(revision=2, phase="published")).has_same_solution_as(asked())
