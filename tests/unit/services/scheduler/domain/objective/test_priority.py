"""The order of placement: priority, goals, the minimum of meetings, placed shares, affinity."""

from __future__ import annotations

from typing import Any

import pytest

from services.scheduler.domain.edition_diff import diff_of
from services.scheduler.domain.improvement.adopt import adopt, announce
from services.scheduler.domain.improvement.problem import problem_of
from services.scheduler.domain.objective.fill_rates import below_minimum
from services.scheduler.domain.objective.levels import objective_value
from services.scheduler.domain.objective.priority import Demand, FillRate, placement_key, smallest_key_first
from services.scheduler.solver.draft import Draft
from services.scheduler.solver.effort import Effort
from services.scheduler.solver.improve import improve
from services.scheduler.solver.neighbourhood import place_again
from shared.contract.events import Event
from tests.support.scheduler_editions import (
    HALL,
    NOW,
    Edition,
    affinity,
    edition,
    pair,
    participant,
    people,
    session,
    workspace,
)

FULL = FillRate(3, 3)
LEAST = {"min_encounters": 2}
EFFORT = Effort(seed=7, rounds=3, round_effort=0.1, steps=50)


def demand(priority: int = 2, serves_goal: bool = False, score: float = 0.5) -> Demand:
    return Demand(priority, serves_goal, score)


@pytest.mark.parametrize(
    ("served", "least", "missing"),
    [((1, 4), 3, 2), ((3, 4), 3, 0), ((1, 2), 3, 1), ((2, 2), 3, 0), ((0, 0), 3, 0), ((0, 4), None, 0), ((0, 4), 0, 0)],
)
def test_meetings_that_are_not_wanted_are_no_shortfall(
    served: tuple[int, int], least: int | None, missing: int
) -> None:
    assert FillRate(*served).shortfall(least) == missing


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ((demand(priority=3), FULL), (demand(serves_goal=True), FillRate(0, 9))),
        ((demand(serves_goal=True), FULL), (demand(score=0.9), FillRate(0, 9))),
        ((demand(), FillRate(1, 2)), (demand(score=0.9), FillRate(2, 9))),
        ((demand(), FillRate(1, 3)), (demand(score=0.9), FillRate(1, 2))),
        ((demand(), FillRate(2, 9)), (demand(score=0.9), FillRate(2, 3))),
        ((demand(score=0.9), FillRate(2, 9)), (demand(), FillRate(2, 9))),
    ],
    ids=["priority", "goal", "below the least", "least served of those", "least served of the others", "score"],
)
def test_the_order_of_placement_keys(first: tuple[Demand, FillRate], second: tuple[Demand, FillRate]) -> None:
    (one, served), (other, others) = first, second
    assert placement_key(one, (FULL, served), 2) < placement_key(other, (others, FULL), 2)


def test_keys_are_read_again_when_an_item_is_next() -> None:
    has = {"a": 0, "b": 1}
    turns = []
    for person, number in smallest_key_first([("a", 1), ("a", 2), ("b", 3)], lambda item: (has[item[0]], item)):
        turns.append(number)
        has[person] += 2
    assert turns == [1, 3, 2]


def crowded(**quotas: int) -> list[Event]:
    """A full day at a single table. Ana and Rosa have two of seven wanted meetings, Pia has half of hers."""
    fixed = ["ana-a1", "ana-a2", "rosa-r1", "rosa-r2", "pia-p1", "zoe-z1", "zoe-z2", "xan-wim"]
    late = [f"{name}-{name[0]}{number}" for name in ("ana", "rosa") for number in (3, 4, 5, 6)]
    names = sorted({name for both in fixed + late for name in both.split("-")})

    def wanted(both: str, priority: int, score: float = 0.5) -> Event:
        return affinity(*both.split("-"), priority=priority, score=score)

    return [
        edition(slots=len(fixed), zones=(workspace(1), HALL), quotas=quotas),
        *people(*names),
        *(wanted(both, 3) for both in fixed),
        wanted("ana-rosa", 2, 0.9),
        wanted("pia-zoe", 2),
        *(wanted(both, 1) for both in late),
    ]


@pytest.mark.parametrize(("quotas", "who"), [({}, ("ana", "rosa")), ({"min_encounters": 2}, ("pia", "zoe"))])
def test_a_freed_place_goes_to_participants_below_the_minimum(quotas: dict[str, int], who: tuple[str, str]) -> None:
    subject = Edition(*crowded(**quotas))
    assert not {pair("ana", "rosa"), pair("pia", "zoe")} & subject.state.placements.keys()
    subject.consume(participant("xan", revision=2, status="cancelled"))
    assert pair(*who) in subject.state.placements


def test_a_higher_priority_comes_before_the_minimum() -> None:
    subject = Edition(*crowded(min_encounters=2))
    subject.consume(affinity("ana", "rosa", revision=2, priority=3), participant("xan", revision=2, status="cancelled"))
    assert pair("ana", "rosa") in subject.state.placements


def test_a_lowered_quota_leaves_no_participant_below_the_minimum() -> None:
    events = [*people("a", "b", "c", "d"), affinity("a", "b", score=0.1), affinity("a", "c"), affinity("c", "d")]
    for least, gone in ((None, "b"), (1, "c")):
        subject = Edition(edition(), *events)
        quotas = {"max_encounters": 1, "min_encounters": least}
        subject.consume(affinity("c", "d", revision=2, priority=1), edition(revision=2, quotas=quotas))
        assert pair("a", gone) not in subject.state.placements


def scarce(**quotas: int) -> list[Event]:
    """Two places for three pairs: Ana and Carla are popular, and have the highest affinity."""
    wishes = [affinity("ana", "carla", score=0.9), affinity("ana", "beto"), affinity("carla", "dario")]
    seats = edition(slots=2, zones=(workspace(1), HALL), quotas=quotas)
    return [seats, *people("ana", "beto", "carla", "dario"), *wishes]


@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)])
def test_a_new_agenda_keeps_participants_above_the_minimum(order: slice) -> None:
    seats, *rest = scarce(min_encounters=1)
    subject = Edition(seats, *rest[order])
    decision = subject.decision()
    adopt(decision, improve(problem_of(subject.state, NOW, 0), EFFORT))
    subject.finish(decision)
    assert set(subject.state.placements) == {pair("ana", "beto"), pair("carla", "dario")}
    assert below_minimum(subject.state) == {}


def test_an_incumbent_with_fewer_below_the_minimum_is_improved() -> None:
    *rest, best, second, third = scarce(min_encounters=1)
    subject = Edition(*rest, second, third, best)
    assert below_minimum(subject.state) == {}
    solution = improve(problem_of(subject.state, NOW, 0), Effort(seed=7, rounds=0, steps=50))
    assert set(solution.assignments) == {pair("ana", "beto"), pair("carla", "dario")}


@pytest.mark.parametrize(("least", "seated"), [(None, "q-r"), (4, "o-p")])
def test_a_neighbourhood_prefers_to_bring_two_to_the_minimum(least: int | None, seated: str) -> None:
    """Oto and Pia have three meetings, Rosa has four and Quim none; a single place is left."""
    held = [f"{name}-{name}{number}" for name, count in (("o", 3), ("p", 3), ("r", 4)) for number in range(count)]
    pairs = [both.split("-") for both in (*held, "o-p", "q-r")]
    rules = edition(slots=len(held) + 1, zones=(workspace(1), HALL), quotas={"min_encounters": least})
    names = sorted({name for both in pairs for name in both})
    problem = problem_of(Edition(rules, *people(*names), *(affinity(*both) for both in pairs)).state, NOW, 0)
    draft = Draft(problem)
    numbers = {wanted.pair_id: number for number, wanted in enumerate(draft.pairs)}
    for slot, both in enumerate([*held, "q-r" if seated == "o-p" else "o-p"]):
        draft.place(numbers[pair(*both.split("-"))], 1 << slot)
    contested = {both: numbers[pair(*both.split("-"))] for both in ("o-p", "q-r")}
    place_again(draft, problem.candidates, sorted(contested.values()), seed=1, effort=1.0)
    assert {both for both, number in contested.items() if draft.slot[number]} == {seated}


def test_without_a_minimum_the_higher_affinity_is_kept() -> None:
    subject = Edition(*scarce())
    solution = improve(problem_of(subject.state, NOW, 0), EFFORT)
    assert pair("ana", "carla") in solution.assignments


def test_a_smaller_shortfall_outweighs_affinity() -> None:
    for least, is_better in ((1, True), (None, False)):
        state = Edition(*scarce(**({"min_encounters": least} if least else {}))).state
        seats = dict(
            zip(state.pairs, [state.assignment(place) for place in state.placements.values()] * 2, strict=False)
        )
        fair = {each: seats[pair("ana", "beto")] for each in (pair("ana", "beto"), pair("carla", "dario"))}
        unfair = {each: seats[pair("ana", "beto")] for each in (pair("ana", "beto"), pair("ana", "carla"))}
        assert (objective_value(state, fair).ranks[0] < objective_value(state, unfair).ranks[0]) is is_better


def test_the_participants_below_the_minimum() -> None:
    state = Edition(*crowded(min_encounters=2)).state
    few = below_minimum(state)
    assert few["pia"] == FillRate(1, 2)
    assert not {"ana", "rosa", "zoe", "a1", "p1"} & few.keys()
    assert few["a3"] == FillRate(0, 1)
    assert below_minimum(Edition(*crowded()).state) == {}


def test_a_new_minimum_moves_no_meeting() -> None:
    """The minimum is no rule: placed meetings stay, and the next improvement before the announcement heeds it."""
    subject = Edition(*crowded())
    placements = dict(subject.state.placements)
    before, after = subject.state.edition, edition(revision=2, slots=8, zones=(workspace(1), HALL), quotas=LEAST)
    assert not diff_of(before, after).is_remade
    assert (subject.consume(after), subject.state.placements) == ([], placements)
    assert subject.state.has_new_inputs


def test_after_the_announcement_no_pair_loses_its_place_to_the_minimum() -> None:
    subject = Edition(*scarce())
    subject.consume(edition(revision=2, slots=2, zones=(workspace(1), HALL), phase="published"))
    decision = subject.decision()
    announce(decision)
    subject.finish(decision)
    told: dict[str, Any] = dict(subject.state.placements)
    fields: dict[str, Any] = {"slots": 2, "zones": (workspace(1), HALL), "phase": "published"}
    subject.consume(edition(revision=3, quotas={"min_encounters": 1}, sessions=(session("k", 9, 10),), **fields))
    decision = subject.decision()
    adopt(decision, improve(problem_of(subject.state, NOW, 3), EFFORT))
    subject.finish(decision)
    assert subject.state.placements == told
