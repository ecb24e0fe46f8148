"""The fewest moves are those that trying every agenda finds, and what is said to be needed at least never is more."""

from __future__ import annotations

import itertools
import random
from collections import Counter

import pytest

from services.scheduler.domain.improvement.problem import Problem, problem_of
from services.scheduler.domain.timetable.timeline import SlotSet, bits
from services.scheduler.solver.fewest_moves import fewest_moves
from tests.support.scheduler_editions import (
    HALL,
    NOW,
    Edition,
    affinity,
    edition,
    participant,
    people,
    window,
    workspace,
)

SLOTS, TABLES, PAIRS = 4, 2, 6
Placed = dict[str, SlotSet]


def changed(seed: int) -> tuple[Problem, Placed, Placed]:
    """A small edition after somebody's hours have changed: the problem, who met when before, and who meets when now."""
    chance = random.Random(seed)  # noqa: S311 - an example
    house = Edition(edition(slots=SLOTS, zones=(workspace(TABLES), HALL)), *people(*"abcde"))
    for one, other in chance.sample(list(itertools.combinations("abcde", 2)), PAIRS):
        house.consume(affinity(one, other))
    before = slots_of(house)
    first = chance.randrange(SLOTS - 1)
    house.consume(participant("a", revision=2, available=(window(first, first + 2),)))
    return problem_of(house.state, NOW, change_budget=0), before, slots_of(house)


def slots_of(house: Edition) -> Placed:
    return {pair: seat.slots for pair, (_, seat) in house.state.board.placed.items()}


def tried(problem: Problem, before: Placed) -> tuple[int, int]:
    """The most that can be placed, and the fewest moves that this takes, by trying every agenda."""
    choices = []
    for each in problem.candidates:
        there = (
            problem.hours[each.meeting.participant_ids[0]].available
            & problem.hours[each.meeting.participant_ids[1]].available
        )
        choices.append([0, *bits(problem.open_slots & there)])
    best = (-1, 0)
    for slots in itertools.product(*choices):
        placed = [(each.meeting, slot) for each, slot in zip(problem.candidates, slots, strict=True) if slot]
        people_at = Counter((person, slot) for wanted, slot in placed for person in wanted.participant_ids)
        if max(people_at.values(), default=0) > 1 or max(Counter(s for _, s in placed).values(), default=0) > TABLES:
            continue
        moves = sum(before.get(wanted.pair_id, slot) != slot for wanted, slot in placed)
        best = max(best, (len(placed), -moves))
    return best[0], -best[1]


@pytest.mark.parametrize("seed", range(12))
def test_the_fewest_moves_are_those_that_trying_every_agenda_finds(seed: int) -> None:
    problem, before, after = changed(seed)
    most, fewest = tried(problem, before)
    repair = fewest_moves(problem, before, after, effort=20)
    assert repair.proven
    assert (repair.placed, repair.moves, repair.at_least) == (most, fewest, fewest)


@pytest.mark.parametrize("seed", range(12))
def test_what_is_needed_at_least_is_no_more_than_the_fewest_however_little_is_searched(seed: int) -> None:
    problem, before, after = changed(seed)
    assert fewest_moves(problem, before, after, effort=1e-6).at_least <= tried(problem, before)[1]
