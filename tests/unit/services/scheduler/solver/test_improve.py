from __future__ import annotations

import random
from dataclasses import replace
from itertools import combinations

import pytest

from services.scheduler.domain.changes import Locked
from services.scheduler.domain.improvement.adopt import SolutionStale, adopt, announce
from services.scheduler.domain.improvement.problem import Solution, SolverProblem, problem_of
from services.scheduler.domain.objective.fill_rates import fill_rate
from services.scheduler.domain.timetable.verifier import AgendaBroken, verify
from services.scheduler.domain.verification import inputs_of
from services.scheduler.solver.bound import placement_bound
from services.scheduler.solver.construct import construct, fill
from services.scheduler.solver.effort import Effort
from services.scheduler.solver.improve import improve
from shared.contract.events import AgendaChanged, Event
from tests.support.scheduler_editions import (
    HALL,
    NOW,
    Edition,
    affinity,
    edition,
    innova,
    organisation,
    pair,
    participant,
    people,
    window,
    workspace,
)

EFFORT = Effort(seed=7, rounds=3, round_effort=0.02, steps=50)


def busy_edition(seed: int, pairs: int = 60) -> list[Event]:
    """24 participants of two kinds, some present for half the day, in 8 slots at 7 tables."""
    chance = random.Random(seed)  # noqa: S311 - an example
    names = [f"p{n:02}" for n in range(24)]
    events: list[Event] = [edition(slots=8, zones=(workspace(5), innova(2), HALL))]
    for name in names:
        events.append(organisation(f"org-{name}", chance.choice(["sme", "research_group"])))
        events.append(participant(name, available=(window(0, 4),) if chance.random() < 0.2 else ()))
    for first, second in chance.sample(list(combinations(names, 2)), pairs):
        events.append(affinity(first, second, priority=chance.randint(1, 3), score=chance.random()))
    return events


def in_two_orders(seed: int) -> list[SolverProblem]:
    first, *rest = busy_edition(seed)
    shuffled = random.Random(5).sample(rest, len(rest))  # noqa: S311 - an example
    return [problem_of(Edition(first, *events).state, NOW, 0) for events in (rest, shuffled)]


@pytest.mark.parametrize("seed", range(20))
def test_a_problem_does_not_depend_on_the_order_of_inputs(seed: int) -> None:
    in_order, shuffled = in_two_orders(seed)
    assert replace(in_order, incumbent={}) == replace(shuffled, incumbent={})


@pytest.mark.parametrize("seed", [3, 5])
def test_a_new_agenda_does_not_depend_on_the_order_of_inputs(seed: int) -> None:
    in_order, shuffled = in_two_orders(seed)
    assert in_order.incumbent != shuffled.incumbent
    assert improve(in_order, EFFORT).assignments == improve(shuffled, EFFORT).assignments


def test_an_incumbent_better_than_a_new_agenda_is_improved() -> None:
    """In the better of two orders, placement on arrival has placed more pairs than construction does."""
    in_order, shuffled = in_two_orders(17)
    assert len(in_order.incumbent) != len(shuffled.incumbent)
    for problem in (in_order, shuffled):
        assert len(improve(problem, EFFORT).assignments) >= len(problem.incumbent)
    better = max(in_order, shuffled, key=lambda problem: len(problem.incumbent))
    assert len(improve(replace(better, incumbent={}), EFFORT).assignments) < len(better.incumbent)


def missing(subject: Edition, least: int) -> int:
    state = subject.state
    return sum(fill_rate(state, participant_id).shortfall(least) for participant_id in state.participants)


def demands(text: str) -> list[Event]:
    """Read demand such as `a-b 3`: pair and priority. Participants come first, then the pairs in this order."""
    demanded = [line.split() for line in text.split(", ")]
    names = sorted({name for names, _ in demanded for name in names.split("-")})
    return [*people(*names), *(affinity(*names.split("-"), priority=int(priority)) for names, priority in demanded)]


def met(solution: Solution, text: str) -> bool:
    return set(solution.assignments) == {pair(*both.split("-")) for both in text.split()}


@pytest.mark.parametrize("effort", [EFFORT, replace(EFFORT, rounds=0)], ids=["searched", "constructed"])
def test_a_full_agenda_holds_the_pairs_of_highest_priority(effort: Effort) -> None:
    """The pairs of a popular participant are hardest to place, but have the lowest priority."""
    start = edition(slots=2, zones=(workspace(1), HALL))
    subject = Edition(start, *demands("star-a 1, star-b 1, star-c 2, d-e 3, f-g 3"))
    assert met(improve(problem_of(subject.state, NOW, 0), effort), "d-e f-g")


def test_a_full_agenda_is_searched_for_pairs_of_higher_priority() -> None:
    """Two placed pairs, among them the pair of lowest priority, give way to two pairs of higher total priority."""
    start = edition(slots=1, zones=(workspace(2), HALL))
    subject = Edition(start, *demands("ana-beto 3, carla-eva 1, ana-carla 2, beto-dario 3"))
    problem = problem_of(subject.state, NOW, 0)
    assert met(improve(problem, replace(EFFORT, rounds=0)), "ana-beto carla-eva")
    assert met(improve(problem, EFFORT), "ana-carla beto-dario")


@pytest.mark.parametrize("seed", [3, 6, 12])
def test_with_a_minimum_fewer_participants_are_below_it(seed: int) -> None:
    [_, *events] = busy_edition(seed, pairs=110)
    chance = random.Random(5)  # noqa: S311 - an example
    placed, below = [], []
    for quotas in ({"min_encounters": 3}, {"min_encounters": 3}, {}):
        subject = Edition(edition(slots=8, zones=(workspace(5), innova(2), HALL), quotas=quotas), *events)
        decision = subject.decision()
        adopt(decision, improve(problem_of(subject.state, NOW, 0), EFFORT))
        subject.finish(decision)
        placed.append(subject.state.placements)
        below.append(missing(subject, 3))
        chance.shuffle(events)
    assert placed[0] == placed[1]
    assert len(placed[0]) == len(placed[2])
    assert below[0] < below[2]


def test_an_adopted_improvement_is_valid_and_certified() -> None:
    subject = Edition(*busy_edition(2))
    before = len(subject.state.placements)
    decision = subject.decision()
    assert adopt(decision, improve(problem_of(subject.state, NOW, 0), EFFORT))
    subject.finish(decision)
    assert verify(inputs_of(subject.state), subject.state.placements) == []
    assert len(subject.state.placements) >= before
    assert not subject.state.has_new_inputs
    certificate = subject.state.certificate
    assert certificate is not None
    assert certificate.placed == len(subject.state.placements) <= certificate.bound


def test_the_bound_counts_free_time_quota_and_tables() -> None:
    everyone = [*people("a", "b", "c", "d"), *(affinity(x, y) for x, y in ("ab", "ac", "ad", "bc", "bd", "cd"))]
    assert placement_bound(problem_of(Edition(edition(slots=4), *everyone).state, NOW, 0)) == 6
    assert placement_bound(problem_of(Edition(edition(slots=1), *everyone).state, NOW, 0)) == 2
    assert (
        placement_bound(problem_of(Edition(edition(slots=4, quotas={"max_encounters": 1}), *everyone).state, NOW, 0))
        == 2
    )
    assert (
        placement_bound(problem_of(Edition(edition(slots=4, zones=(workspace(1), HALL)), *everyone).state, NOW, 0)) == 4
    )
    assert placement_bound(problem_of(Edition(edition(slots=4, zones=(HALL,)), *everyone).state, NOW, 0)) == 0


def test_after_the_announcement_moves_stay_within_the_change_budget() -> None:
    subject = Edition(*busy_edition(3, pairs=90))
    decision = subject.decision()
    announce(decision)
    subject.consume(edition(slots=8, revision=2, zones=(workspace(5), innova(2), HALL), phase="published"))
    decision = subject.decision()
    announce(decision)
    subject.finish(decision)
    problem = problem_of(subject.state, NOW, change_budget=2)
    solution = improve(problem, EFFORT)
    moved = [pair_id for pair_id, before in problem.incumbent.items() if solution.assignments[pair_id] != before]
    assert len(moved) <= 2
    assert set(problem.incumbent) <= set(solution.assignments)


@pytest.mark.parametrize("is_announced", [False, True])
def test_locked_meetings_stay_in_a_full_edition(is_announced: bool) -> None:
    for seed in range(5):
        subject = Edition(*busy_edition(seed, pairs=75))
        locked = {pair_id: subject.state.board.placed[pair_id][1] for pair_id in sorted(subject.state.placements)[::2]}
        decision = subject.decision()
        for pair_id in locked:
            decision.record(Locked(pair_id=pair_id, is_locked=True))
        subject.finish(decision)
        problem = problem_of(subject.state, NOW, 5)
        board = fill(problem) if is_announced else construct(problem, placement_bound(problem), seed)
        assert {pair_id: board.placed[pair_id][1] for pair_id in locked} == locked


def test_an_announcement_publishes_every_final_agenda_once() -> None:
    subject = Edition(edition(), *people("a", "b", "c"), affinity("a", "b"))
    subject.consume(edition(revision=2, phase="published"))
    assert subject.state.awaits_announcement
    for expected in (2, 0):
        decision = subject.decision()
        announce(decision)
        published = subject.finish(decision)
        final = [event for event in published if isinstance(event, AgendaChanged) and not event.provisional]
        assert len(final) == len(published) == expected


def test_a_solution_for_lost_slots_or_a_past_phase_is_stale() -> None:
    subject = Edition(edition(slots=2), *people("a", "b"), affinity("a", "b"))
    solution = improve(problem_of(subject.state, NOW, 0), EFFORT)
    later = {pair("a", "b"): solution.assignments[pair("a", "b")]._replace(slots=0b10)}
    subject.consume(edition(slots=1, revision=2))
    with pytest.raises(SolutionStale, match="fewer slots"):
        adopt(subject.decision(), replace(solution, assignments=later))
    subject.consume(edition(slots=2, revision=3, phase="closed"))
    with pytest.raises(SolutionStale, match="phase"):
        adopt(subject.decision(), solution)


def test_an_invalid_solution_is_refused_and_a_worse_solution_ignored() -> None:
    subject = Edition(edition(slots=2), *people("a", "b", "c"), affinity("a", "b"), affinity("b", "c"))
    solution = improve(problem_of(subject.state, NOW, 0), EFFORT)
    clash = dict.fromkeys(solution.assignments, next(iter(solution.assignments.values())))
    with pytest.raises(AgendaBroken, match="person_twice"):
        adopt(subject.decision(), replace(solution, assignments=clash))
    before = dict(subject.state.placements)
    adopt(subject.decision(), replace(solution, assignments={}))
    assert subject.state.placements == before
    assert not subject.state.has_new_inputs
