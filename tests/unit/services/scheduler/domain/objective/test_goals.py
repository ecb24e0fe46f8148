"""Goals of an edition: meetings that serve them come before meetings of the same priority."""

from __future__ import annotations

from typing import Any

import pytest

from services.scheduler.domain.edition_diff import diff_of
from services.scheduler.domain.improvement.adopt import adopt, announce
from services.scheduler.domain.improvement.problem import problem_of
from services.scheduler.domain.objective.fill_rates import fill_rates_by_goal
from services.scheduler.domain.objective.goals import goals_served
from services.scheduler.domain.objective.levels import objective_value
from services.scheduler.domain.objective.priority import FillRate
from services.scheduler.domain.snapshots import OrganisationSnapshot
from services.scheduler.domain.state import AgendaState
from services.scheduler.solver.bound import placement_bound
from services.scheduler.solver.construct import construct, fill
from services.scheduler.solver.draft import Draft
from services.scheduler.solver.effort import Effort
from services.scheduler.solver.improve import improve
from services.scheduler.solver.neighbourhood import place_again
from shared.contract.events import EditionChanged, Event, Goal
from tests.support.scheduler_editions import (
    HALL,
    NOW,
    Edition,
    affinity,
    edition,
    organisation,
    pair,
    participant,
    people,
    workspace,
)

BOTH = tuple(Goal)
BORDER = (Goal.CROSS_BORDER,)
EFFORT = Effort(seed=7, rounds=3, round_effort=0.1, steps=50)
HOME, ABROAD = pair("ana", "beto"), pair("carla", "mara")


def known(country: str | None, delegation: str | None = None) -> OrganisationSnapshot:
    return OrganisationSnapshot(revision=1, kind="sme", status="active", country=country, delegation=delegation)


SPAIN, PORTUGAL = known("ES"), known("PT")
MEXICO, PERU = known("MX", "Mexico"), known("PE", "Andes")


@pytest.mark.parametrize(
    ("first", "second", "served"),
    [
        (SPAIN, SPAIN, ()),
        (SPAIN, PORTUGAL, BORDER),
        (SPAIN, MEXICO, BOTH),
        (MEXICO, PERU, BOTH),
        (MEXICO, MEXICO, ()),
        (MEXICO, known("MX"), (Goal.DELEGATION,)),
        (MEXICO, known("MX", "Puebla"), (Goal.DELEGATION,)),
        (PERU, known("CL", "Andes"), BORDER),
        (MEXICO, known(None), ()),
        (MEXICO, None, ()),
    ],
    ids=[
        "at home",
        "neighbours",
        "a delegation and a host",
        "two delegations",
        "of one delegation",
        "of the delegation's country but not of it",
        "two delegations of one country",
        "a delegation of two countries",
        "a snapshot from before goals",
        "unknown",
    ],
)
def test_the_goals_that_a_meeting_serves(
    first: OrganisationSnapshot, second: OrganisationSnapshot | None, served: tuple[Goal, ...]
) -> None:
    assert goals_served(BOTH, first, second) == served
    assert goals_served(BOTH, second, first) == served
    assert goals_served((), first, second) == ()
    for goal in BOTH:
        assert goals_served((goal,), first, second) == ((goal,) if goal in served else ())
    assert goals_served(tuple(reversed(BOTH)), first, second) == tuple(reversed(served))


def single_table(slots: int = 1, revision: int = 1, **fields: Any) -> EditionChanged:
    """An edition with a single table."""
    return edition(slots=slots, revision=revision, zones=(workspace(1), HALL), **fields)


def guests() -> list[Event]:
    """Mara and Nino are from Mexico, all hosts from Spain."""
    hosts = ("ana", "beto", "carla", "dario", "eva", "fran")
    return [
        *(organisation(f"org-{name}") for name in hosts),
        *(organisation(f"org-{name}", country="MX", delegation="Mexico") for name in ("mara", "nino")),
        *people(*hosts, "mara", "nino"),
    ]


def competing_pairs(goal_priority: int = 2) -> list[Event]:
    """Ana and Beto have the highest affinity; Carla and Mara serve a goal."""
    return [affinity("ana", "beto", score=0.9), affinity("carla", "mara", score=0.1, priority=goal_priority)]


CASES = [((), 2, HOME), (BORDER, 2, ABROAD), ((Goal.DELEGATION,), 2, ABROAD), (BOTH, 2, ABROAD), (BOTH, 1, HOME)]
IDS = ["no goal", "cross-border", "delegation", "both", "a higher priority comes first"]


@pytest.mark.parametrize(("goals", "priority", "first"), CASES, ids=IDS)
def test_a_freed_place_goes_to_a_pair_that_serves_a_goal(goals: tuple[Goal, ...], priority: int, first: str) -> None:
    taken = affinity("eva", "fran", priority=3)
    subject = Edition(single_table(goals=goals), *guests(), taken, *competing_pairs(priority))
    assert set(subject.state.placements) == {pair("eva", "fran")}
    subject.consume(participant("eva", revision=2, status="cancelled"))
    assert set(subject.state.placements) == {first}


@pytest.mark.parametrize(("goals", "priority", "first"), CASES, ids=IDS)
def test_a_lowered_quota_spares_pairs_that_serve_a_goal(goals: tuple[Goal, ...], priority: int, first: str) -> None:
    home, abroad = affinity("ana", "beto", score=0.9), affinity("ana", "mara", score=0.1, priority=priority)
    subject = Edition(edition(goals=goals), *guests(), home, abroad)
    assert set(subject.state.placements) == {HOME, pair("ana", "mara")}
    subject.consume(edition(revision=2, goals=goals, quotas={"max_encounters": 1}))
    assert set(subject.state.placements) == {HOME if first == HOME else pair("ana", "mara")}


@pytest.mark.parametrize(("goals", "priority", "first"), CASES, ids=IDS)
@pytest.mark.parametrize("turn", [1, -1])
def test_a_new_agenda_serves_goals(goals: tuple[Goal, ...], priority: int, first: str, turn: int) -> None:
    subject = Edition(single_table(goals=goals), *guests(), *competing_pairs(priority)[::turn])
    problem = problem_of(subject.state, NOW, 0)
    assert set(construct(problem, placement_bound(problem), EFFORT.seed).placed) == {first}
    decision = subject.decision()
    adopt(decision, improve(problem, EFFORT))
    subject.finish(decision)
    assert set(subject.state.placements) == {first}


@pytest.mark.parametrize(("goals", "priority", "first"), CASES, ids=IDS)
def test_a_neighbourhood_is_placed_again_for_goals(goals: tuple[Goal, ...], priority: int, first: str) -> None:
    problem = problem_of(Edition(single_table(goals=goals), *guests(), *competing_pairs(priority)).state, NOW, 0)
    draft = Draft(problem)
    numbers = {meeting.pair_id: number for number, meeting in enumerate(draft.pairs)}
    draft.place(numbers[HOME if first == ABROAD else ABROAD], 1)
    place_again(draft, problem.candidates, sorted(numbers.values()), seed=1, effort=1.0)
    assert {pair_id for pair_id, number in numbers.items() if draft.slot[number]} == {first}


def test_in_a_neighbourhood_priority_outweighs_goals() -> None:
    """Two of four pairs fit: either priorities 3 and 1 without a goal, or 2 and 1 with a goal."""
    wanted = [affinity("ana", "carla", priority=3), affinity("mara", "nino", priority=1)]
    wanted += [affinity("ana", "mara", priority=2), affinity("carla", "nino", priority=1)]
    problem = problem_of(Edition(edition(slots=1, goals=BOTH), *guests(), *wanted).state, NOW, 0)
    draft = Draft(problem)
    numbers = {meeting.pair_id: number for number, meeting in enumerate(draft.pairs)}
    for event in wanted[2:]:
        draft.place(numbers[event.pair_id], 1)
    place_again(draft, problem.candidates, sorted(numbers.values()), seed=1, effort=1.0)
    assert {pair_id for pair_id, number in numbers.items() if draft.slot[number]} == {
        event.pair_id for event in wanted[:2]
    }


def test_a_goal_comes_before_the_minimum() -> None:
    rules = single_table(2, goals=BORDER, quotas={"min_encounters": 1})
    wanted = [affinity("carla", "mara"), affinity("carla", "nino"), affinity("ana", "beto")]
    subject = Edition(rules, *guests(), *wanted[::-1])
    assert pair("ana", "beto") in subject.state.placements
    solution = improve(problem_of(subject.state, NOW, 0), EFFORT)
    assert set(solution.assignments) == {pair("carla", "mara"), pair("carla", "nino")}


def test_a_goal_does_not_lower_the_number_of_placed_pairs() -> None:
    """The pair of Carla and Nino serves a goal, and takes the time of two pairs that serve none."""
    carla_dario, mara_nino = affinity("carla", "dario"), affinity("mara", "nino")
    subject = Edition(edition(slots=1, goals=BOTH), *guests(), affinity("carla", "nino"), carla_dario, mara_nino)
    assert set(subject.state.placements) == {pair("carla", "nino")}
    settle(subject)
    assert set(subject.state.placements) == {carla_dario.pair_id, mara_nino.pair_id}


def test_the_better_of_two_equal_agendas_serves_more_goals() -> None:
    for goals, is_better in ((BOTH, True), ((), False)):
        state = Edition(single_table(goals=goals), *guests(), *competing_pairs()).state
        place = state.assignment(next(iter(state.placements.values())))
        assert (
            objective_value(state, {ABROAD: place}).ranks[0] < objective_value(state, {HOME: place}).ranks[0]
        ) is is_better


def test_new_goals_take_effect_with_the_next_improvement() -> None:
    subject = Edition(single_table(), *guests(), *competing_pairs())
    placed = dict(subject.state.placements)
    settle(subject)
    assert not subject.state.has_new_inputs
    assert not diff_of(subject.state.edition, single_table(revision=2, goals=BORDER)).is_remade
    assert (subject.consume(single_table(revision=2, goals=BORDER)), subject.state.placements) == ([], placed)
    assert subject.state.has_new_inputs
    settle(subject)
    assert set(subject.state.placements) == {ABROAD}


@pytest.mark.parametrize("changed", [{"country": "PT"}, {"country": "ES", "delegation": "Norte"}])
def test_a_new_country_takes_effect_with_the_next_improvement(changed: dict[str, str]) -> None:
    subject = Edition(
        single_table(goals=BOTH), *guests(), *competing_pairs()[:1], affinity("carla", "dario", score=0.1)
    )
    settle(subject)
    placed = dict(subject.state.placements)
    assert set(placed) == {HOME}
    subject.consume(organisation("org-carla", revision=2, **changed))
    assert subject.state.placements == placed
    assert subject.state.has_new_inputs
    settle(subject)
    assert set(subject.state.placements) == {pair("carla", "dario")}
    subject.consume(organisation("org-carla", revision=3, region="Lisboa", **changed))
    assert not subject.state.has_new_inputs


def test_after_the_announcement_no_pair_loses_its_place_to_a_goal() -> None:
    subject = Edition(single_table(phase="published"), *guests(), *competing_pairs())
    decision = subject.decision()
    announce(decision)
    subject.finish(decision)
    placed = dict(subject.state.placements)
    subject.consume(single_table(revision=2, phase="published", goals=BOTH))
    problem = problem_of(subject.state, NOW, 3)
    assert set(fill(problem).placed) == {HOME}
    settle(subject)
    assert subject.state.placements == placed


def test_the_fill_rates_of_goals() -> None:
    wanted = [affinity("carla", "mara"), affinity("dario", "nino"), affinity("ana", "beto", priority=1)]
    subject = Edition(single_table(2), *guests(), organisation("org-beto", revision=2, country="PT"), *wanted)
    assert fill_rates_by_goal(subject.state) == {}
    subject.consume(single_table(2, revision=2, goals=(Goal.DELEGATION, Goal.CROSS_BORDER)))
    reached = fill_rates_by_goal(subject.state)
    assert list(reached.items()) == [(Goal.DELEGATION, FillRate(2, 2)), (Goal.CROSS_BORDER, FillRate(2, 3))]
    subject.consume(affinity("carla", "mara", revision=2, consent="refused"))
    assert fill_rates_by_goal(subject.state) == {Goal.DELEGATION: FillRate(1, 1), Goal.CROSS_BORDER: FillRate(2, 2)}


def test_a_state_from_before_goals_serves_none() -> None:
    subject = Edition(single_table(2, goals=BOTH), *guests(), *competing_pairs())
    older = subject.state.model_dump(mode="json")
    del older["edition"]["goals"]
    for known_organisation in older["organisations"].values():
        del known_organisation["country"], known_organisation["delegation"]
    state = AgendaState.model_validate(older)
    assert state.goals == ()
    assert state.placements == subject.state.placements
    subject.state = state
    subject.consume(single_table(2, revision=2, goals=BOTH), organisation("org-mara", revision=2, country="MX"))
    assert fill_rates_by_goal(subject.state) == {goal: FillRate(0, 0) for goal in BOTH}
    subject.consume(organisation("org-carla", revision=2))
    assert fill_rates_by_goal(subject.state) == {Goal.CROSS_BORDER: FillRate(1, 1), Goal.DELEGATION: FillRate(0, 0)}


def settle(subject: Edition) -> None:
    """Improve, and adopt the solution."""
    decision = subject.decision()
    adopt(decision, improve(problem_of(subject.state, NOW, 3), EFFORT))
    subject.finish(decision)
