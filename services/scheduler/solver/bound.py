"""Prove: how many encounters could be placed at most, whatever the agenda."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from functools import reduce
from operator import or_

from ortools.linear_solver import pywraplp

from services.scheduler.domain.improvement.problem import Problem
from services.scheduler.domain.timetable.board import Board, Meeting
from services.scheduler.domain.timetable.timeline import SlotSet

#: The simplex is exact to about this much; an integer bound must not be lost to rounding.
_TOLERANCE = 1e-6


def placement_bound(problem: Problem) -> int:
    """An upper bound on the encounters placed, fixed ones included.

    It is the b-matching linear programme: a share of each pair that has a slot in common; a participant's shares at
    most the slots free to them and the quota left; all shares that need a zone at most its tables times the slots in
    which any of them could be. Representatives who may meet instead of each other count as one, with the slots of all.
    """
    board = problem.board()
    common = {each.meeting: _common(problem, board, each.meeting) for each in problem.candidates}
    pairs = [wanted for wanted, slots in common.items() if slots]
    solver = pywraplp.Solver.CreateSolver("GLOP")
    share = {wanted.pair_id: solver.NumVar(0, 1, "") for wanted in pairs}
    of_party: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    for wanted in pairs:
        for person in wanted.participant_ids:
            of_party[_party(problem, person)].append(wanted.pair_id)
    for party, theirs in of_party.items():
        solver.Add(sum(share[pair] for pair in theirs) <= sum(_most(problem, board, person) for person in party))
    for zones in {wanted.zone_ids for wanted in pairs}:
        within = [wanted for wanted in pairs if set(wanted.zone_ids) <= set(zones)]
        most = _seats(board, zones, reduce(or_, map(common.__getitem__, within)))
        solver.Add(sum(share[wanted.pair_id] for wanted in within) <= most)
    solver.Maximize(sum(share.values()))
    if solver.Solve() != pywraplp.Solver.OPTIMAL:
        return len(problem.fixed) + len(pairs)
    shares: float = solver.Objective().Value()
    return len(problem.fixed) + math.floor(shares + _TOLERANCE)


def _common(problem: Problem, board: Board, wanted: Meeting) -> SlotSet:
    common = problem.open_slots
    for person in wanted.participant_ids:
        common &= reduce(or_, (_free(problem, board, each) for each in _party(problem, person)))
    return common


def _party(problem: Problem, person: str) -> tuple[str, ...]:
    """The participant, and who may meet instead."""
    return tuple(sorted((person, *problem.substitutes_of.get(person, ()))))


def _free(problem: Problem, board: Board, person: str) -> SlotSet:
    return problem.open_slots & board.possible_slots(person) & ~board.busy[person]


def _most(problem: Problem, board: Board, person: str) -> int:
    slots = _free(problem, board, person).bit_count()
    if problem.quota is None:
        return slots
    return max(0, min(slots, problem.quota - len(board.assignments_of[person])))


def _seats(board: Board, zones: Iterable[str], slots: SlotSet) -> int:
    """Free places at the tables of these zones in these slots."""
    return sum((slots & ~taken).bit_count() for zone in zones for taken in board.tables.get(zone, {}).values())
