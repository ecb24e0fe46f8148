"""The fewest moves equal the result of an exhaustive search, and the lower bound never exceeds them."""

from __future__ import annotations

import itertools
import random
from collections import Counter

import pytest

from services.scheduler.domain.improvement.problem import SolverProblem, problem_of
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


def changed(seed: int) -> tuple[SolverProblem, Placed, Placed]:
    """A small edition after a change of hours: the problem, the slots before, and the slots now."""
    chance = random.Random(seed)  # noqa: S311 - an example
    subject = Edition(edition(slots=SLOTS, zones=(workspace(TABLES), HALL)), *people(*"abcde"))
    for first, second in chance.sample(list(itertools.combinations("abcde", 2)), PAIRS):
        subject.consume(affinity(first, second))
    before = slots_of(subject)
    start = chance.randrange(SLOTS - 1)
    subject.consume(participant("a", revision=2, available=(window(start, start + 2),)))
    return problem_of(subject.state, NOW, change_budget=0), before, slots_of(subject)


def slots_of(subject: Edition) -> Placed:
    return {pair: assignment.slots for pair, (_, assignment) in subject.state.board.placed.items()}


def tried(problem: SolverProblem, before: Placed) -> tuple[int, int]:
    """Return the most meetings that can be placed and the fewest moves for it, by exhaustive search."""
    choices = []
    for candidate in problem.candidates:
        present = (
            problem.hours[candidate.meeting.participant_ids[0]].available
            & problem.hours[candidate.meeting.participant_ids[1]].available
        )
        choices.append([0, *bits(problem.open_slots & present)])
    best = (-1, 0)
    for slots in itertools.product(*choices):
        placed = [(candidate.meeting, slot) for candidate, slot in zip(problem.candidates, slots, strict=True) if slot]
        people_at = Counter((person, slot) for meeting, slot in placed for person in meeting.participant_ids)
        if max(people_at.values(), default=0) > 1 or max(Counter(s for _, s in placed).values(), default=0) > TABLES:
            continue
        moves = sum(before.get(meeting.pair_id, slot) != slot for meeting, slot in placed)
        best = max(best, (len(placed), -moves))
    return best[0], -best[1]


@pytest.mark.parametrize("seed", range(12))
def test_the_fewest_moves_equal_those_of_an_exhaustive_search(seed: int) -> None:
    problem, before, after = changed(seed)
    most, fewest = tried(problem, before)
    repair = fewest_moves(problem, before, after, effort=20)
    assert repair.proven
    assert (repair.placed, repair.moves, repair.at_least) == (most, fewest, fewest)


@pytest.mark.parametrize("seed", range(12))
def test_the_lower_bound_on_moves_holds_with_any_effort(seed: int) -> None:
    problem, before, after = changed(seed)
    assert fewest_moves(problem, before, after, effort=1e-6).at_least <= tried(problem, before)[1]


@pytest.mark.parametrize("seed", range(12))
def test_a_search_that_finds_nothing_answers_with_the_repair_it_was_given(seed: int) -> None:
    problem, before, after = changed(seed)
    repair = fewest_moves(problem, before, after, effort=1e-6)
    assert repair.proven or (repair.placed, repair.slots) == (len(after), after)


@pytest.mark.parametrize("seed", range(12))
def test_a_return_to_a_settled_slot_is_no_move(seed: int) -> None:
    problem, before, after = changed(seed)
    settled = {pair_id: slot | after.get(pair_id, 0) for pair_id, slot in before.items()}
    repair = fewest_moves(problem, settled, after, effort=20)
    assert (repair.placed, repair.moves) == (tried(problem, before)[0], 0)
