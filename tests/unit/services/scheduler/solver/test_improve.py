from __future__ import annotations

import random
from dataclasses import replace
from itertools import combinations

import pytest

from services.scheduler.domain.changes import Locked
from services.scheduler.domain.improvement.adopt import SolutionStale, adopt, announce
from services.scheduler.domain.improvement.problem import Problem, Solution, problem_of
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
    """24 people of two kinds, some only there for half the day, in 8 slots at 7 tables."""
    chance = random.Random(seed)  # noqa: S311 - an example
    names = [f"p{n:02}" for n in range(24)]
    events: list[Event] = [edition(slots=8, zones=(workspace(5), innova(2), HALL))]
    for name in names:
        events.append(organisation(f"org-{name}", chance.choice(["sme", "research_group"])))
        events.append(participant(name, available=(window(0, 4),) if chance.random() < 0.2 else ()))
    for one, other in chance.sample(list(combinations(names, 2)), pairs):
        events.append(affinity(one, other, priority=chance.randint(1, 3), score=chance.random()))
    return events


def in_two_orders(seed: int) -> list[Problem]:
    first, *rest = busy_edition(seed)
    shuffled = random.Random(5).sample(rest, len(rest))  # noqa: S311 - an example
    return [problem_of(Edition(first, *events).state, NOW, 0) for events in (rest, shuffled)]


@pytest.mark.parametrize("seed", range(20))
def test_but_for_the_incumbent_the_order_of_the_inputs_does_not_matter(seed: int) -> None:
    one, other = in_two_orders(seed)
    assert replace(one, incumbent={}) == replace(other, incumbent={})


@pytest.mark.parametrize("seed", [3, 5])
def test_an_agenda_made_anew_is_the_same_whatever_the_order_of_the_inputs(seed: int) -> None:
    one, other = in_two_orders(seed)
    assert one.incumbent != other.incumbent
    assert improve(one, EFFORT).assignments == improve(other, EFFORT).assignments


def test_an_incumbent_is_bettered_where_what_is_made_anew_would_be_worse() -> None:
    """Here inserting has placed more in the one order than construction does; in the other it has not."""
    one, other = in_two_orders(17)
    assert len(one.incumbent) != len(other.incumbent)
    for problem in (one, other):
        assert len(improve(problem, EFFORT).assignments) >= len(problem.incumbent)
    better = max(one, other, key=lambda problem: len(problem.incumbent))
    assert len(improve(replace(better, incumbent={}), EFFORT).assignments) < len(better.incumbent)


def missing(subject: Edition, least: int) -> int:
    state = subject.state
    return sum(fill_rate(state, each).shortfall(least) for each in state.participants)


def wishes(text: str) -> list[Event]:
    """Who wants to meet, and how much: `a-b 3`; those named, then their pairs in this order."""
    wished = [wish.split() for wish in text.split(", ")]
    names = sorted({name for names, _ in wished for name in names.split("-")})
    return [*people(*names), *(affinity(*names.split("-"), priority=int(priority)) for names, priority in wished)]


def met(solution: Solution, text: str) -> bool:
    return set(solution.assignments) == {pair(*both.split("-")) for both in text.split()}


@pytest.mark.parametrize("effort", [EFFORT, replace(EFFORT, rounds=0)], ids=["searched", "constructed"])
def test_a_full_agenda_is_of_those_most_wanted(effort: Effort) -> None:
    """Whom many want to meet is hardest to place, and yet their encounters are not wanted as much as others."""
    seats = edition(slots=2, zones=(workspace(1), HALL))
    subject = Edition(seats, *wishes("star-a 1, star-b 1, star-c 2, d-e 3, f-g 3"))
    assert met(improve(problem_of(subject.state, NOW, 0), effort), "d-e f-g")


def test_a_full_agenda_is_searched_for_those_wanted_more_than_others_who_have_a_place() -> None:
    """Two have their places at once, of whom one is wanted least; both have to give way for the two wanted more."""
    seats = edition(slots=1, zones=(workspace(2), HALL))
    subject = Edition(seats, *wishes("ana-beto 3, carla-eva 1, ana-carla 2, beto-dario 3"))
    problem = problem_of(subject.state, NOW, 0)
    assert met(improve(problem, replace(EFFORT, rounds=0)), "ana-beto carla-eva")
    assert met(improve(problem, EFFORT), "ana-carla beto-dario")


@pytest.mark.parametrize("seed", [3, 6, 12])
def test_with_a_least_the_order_does_not_matter_and_fewer_are_below_it(seed: int) -> None:
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


def test_it_is_adopted_and_right_and_idles_less() -> None:
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


def test_once_announced_only_those_who_wait_are_placed_within_the_change_budget() -> None:
    subject = Edition(*busy_edition(3, pairs=90))
    decision = subject.decision()
    announce(decision)
    subject.consume(edition(slots=8, revision=2, zones=(workspace(5), innova(2), HALL), phase="published"))
    decision = subject.decision()
    announce(decision)
    subject.finish(decision)
    problem = problem_of(subject.state, NOW, change_budget=2)
    solution = improve(problem, EFFORT)
    moved = [pair_id for pair_id, seat in problem.incumbent.items() if solution.assignments[pair_id] != seat]
    assert len(moved) <= 2
    assert set(problem.incumbent) <= set(solution.assignments)


@pytest.mark.parametrize("is_announced", [False, True])
def test_what_is_locked_stays_however_crowded_it_is(is_announced: bool) -> None:
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


def test_announcing_tells_each_agenda_once_and_for_good() -> None:
    subject = Edition(edition(), *people("a", "b", "c"), affinity("a", "b"))
    subject.consume(edition(revision=2, phase="published"))
    assert subject.state.awaits_announcement
    for expected in (2, 0):
        decision = subject.decision()
        announce(decision)
        said = subject.finish(decision)
        final = [each for each in said if isinstance(each, AgendaChanged) and not each.provisional]
        assert len(final) == len(said) == expected


def test_a_solution_for_slots_or_a_phase_that_are_gone_is_stale() -> None:
    subject = Edition(edition(slots=2), *people("a", "b"), affinity("a", "b"))
    solution = improve(problem_of(subject.state, NOW, 0), EFFORT)
    later = {pair("a", "b"): solution.assignments[pair("a", "b")]._replace(slots=0b10)}
    subject.consume(edition(slots=1, revision=2))
    with pytest.raises(SolutionStale, match="fewer slots"):
        adopt(subject.decision(), replace(solution, assignments=later))
    subject.consume(edition(slots=2, revision=3, phase="closed"))
    with pytest.raises(SolutionStale, match="phase"):
        adopt(subject.decision(), solution)


def test_a_wrong_solution_is_refused_and_a_poorer_one_not_taken() -> None:
    subject = Edition(edition(slots=2), *people("a", "b", "c"), affinity("a", "b"), affinity("b", "c"))
    solution = improve(problem_of(subject.state, NOW, 0), EFFORT)
    clash = dict.fromkeys(solution.assignments, next(iter(solution.assignments.values())))
    with pytest.raises(AgendaBroken, match="person_twice"):
        adopt(subject.decision(), replace(solution, assignments=clash))
    before = dict(subject.state.placements)
    adopt(subject.decision(), replace(solution, assignments={}))
    assert subject.state.placements == before
    assert not subject.state.has_new_inputs
