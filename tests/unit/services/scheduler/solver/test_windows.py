"""Ordered meetings keep their order wherever a search moves them within their windows."""

from __future__ import annotations

from random import Random

import pytest

from services.scheduler.domain.improvement.problem import SolverProblem, problem_of
from services.scheduler.domain.timetable.board import Board
from services.scheduler.domain.timetable.timeline import SlotSet, bits
from services.scheduler.solver.windows import windows
from shared.contract.ids import encounter_id
from shared.internal_api.edits import LockEncounter, OrderEncounters
from tests.support.scheduler_editions import HALL, NOW, workspace
from tests.support.scheduler_orders import EVERYBODY, do, fair


def problem(seed: int) -> tuple[SolverProblem, Board]:
    """A problem with placed meetings in order, some of them locked, and waiting meetings."""
    chance = Random(seed)  # noqa: S311 - it must be repeatable
    subject = fair(*EVERYBODY, slots=8, zones=(workspace(3), HALL))
    for _ in range(12):
        first, second = sorted(chance.sample(range(len(EVERYBODY)), 2))
        later, earlier = encounter_id("ed", *EVERYBODY[second]), encounter_id("ed", *EVERYBODY[first])
        do(subject, OrderEncounters(encounter_id=later, after_id=earlier, is_ordered=True))
    for pair in chance.sample(sorted(subject.state.placements), 3):
        do(subject, LockEncounter(encounter_id=subject.state.encounter_id(pair), is_locked=True))
    return problem_of(subject.state, NOW, 3), subject.state.board


@pytest.mark.parametrize("seed", range(8))
def test_any_choice_within_the_windows_is_in_order(seed: int) -> None:
    asked, board = problem(seed)
    left, chance = windows(asked, board), Random(seed)  # noqa: S311 - it must be repeatable
    stay = {pair: assignment.slots for pair, (_, assignment) in asked.fixed.items()}
    for pair, slots in left.items():
        assert pair in stay or pair not in board.placed or board.placed[pair][1].slots & slots
    for _ in range(50):
        chosen = {pair: stay.get(pair) or drawn(slots, chance) for pair, slots in left.items()}
        for later, comes_after in asked.comes_after.items():
            for earlier in comes_after:
                assert not chosen[later] or chosen[earlier] < chosen[later]


def drawn(slots: SlotSet, chance: Random) -> SlotSet:
    """Draw a slot of the set, or none from the empty set."""
    return chance.choice([*bits(slots)]) if slots else 0


def test_between_locked_meetings_the_whole_time_is_left() -> None:
    first, middle, last = EVERYBODY[0], EVERYBODY[13], EVERYBODY[22]
    subject = fair(first, middle, last, slots=8)
    ids = [encounter_id("ed", *sides) for sides in (first, middle, last)]
    for earlier, later in ((ids[0], ids[1]), (ids[1], ids[2])):
        do(subject, OrderEncounters(encounter_id=later, after_id=earlier, is_ordered=True))
    ends = [pair for pair in subject.state.placements if subject.state.encounter_id(pair) != ids[1]]
    for pair in ends:
        do(subject, LockEncounter(encounter_id=subject.state.encounter_id(pair), is_locked=True))
    asked, board = problem_of(subject.state, NOW, 3), subject.state.board
    between = next(pair for pair in subject.state.placements if pair not in ends)
    before, after = sorted(board.placed[pair][1].slots for pair in ends)
    expected = sum(slot for slot in bits(board.all_slots) if before < slot < after)
    assert windows(asked, board)[between] == expected
