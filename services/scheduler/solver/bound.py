"""A proof: the most meetings that any agenda could place."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from functools import reduce
from operator import or_

from ortools.linear_solver import pywraplp

from services.scheduler.domain.improvement.problem import SolverProblem
from services.scheduler.domain.timetable.board import Board, Meeting
from services.scheduler.domain.timetable.timeline import SlotSet

#: Accuracy of the simplex method, about. Rounding must not lose an integer bound.
_TOLERANCE = 1e-6


def placement_bound(problem: SolverProblem) -> int:
    """Return an upper bound on the number of placed meetings, fixed meetings included.

    It is the optimum of a b-matching linear programme. Its variables are the placed shares of pairs that have a free
    slot in common. The shares of a participant are bounded by their free slots and by the quota left. The shares
    confined to a set of zones are bounded by its tables times the slots in which a meeting among them is possible.
    Interchangeable representatives count as a single participant with the slots of all.
    """
    board = problem.board()
    common = {candidate.meeting: _common(problem, board, candidate.meeting) for candidate in problem.candidates}
    meetings = [meeting for meeting, slots in common.items() if slots]
    solver = pywraplp.Solver.CreateSolver("GLOP")
    share = {meeting.pair_id: solver.NumVar(0, 1, "") for meeting in meetings}
    of_party: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    for meeting in meetings:
        for person in meeting.participant_ids:
            of_party[_party(problem, person)].append(meeting.pair_id)
    for party, pair_ids in of_party.items():
        solver.Add(
            sum(share[pair_id] for pair_id in pair_ids) <= sum(_most(problem, board, person) for person in party)
        )
    for zone_ids in {meeting.zone_ids for meeting in meetings}:
        within = [meeting for meeting in meetings if set(meeting.zone_ids) <= set(zone_ids)]
        most = _free_table_slots(board, zone_ids, reduce(or_, map(common.__getitem__, within)))
        solver.Add(sum(share[meeting.pair_id] for meeting in within) <= most)
    solver.Maximize(sum(share.values()))
    if solver.Solve() != pywraplp.Solver.OPTIMAL:
        return len(problem.fixed) + len(meetings)
    shares: float = solver.Objective().Value()
    return len(problem.fixed) + math.floor(shares + _TOLERANCE)


def _common(problem: SolverProblem, board: Board, meeting: Meeting) -> SlotSet:
    common = problem.open_slots
    for person in meeting.participant_ids:
        common &= reduce(or_, (_free(problem, board, member) for member in _party(problem, person)))
    return common


def _party(problem: SolverProblem, person: str) -> tuple[str, ...]:
    """Return the participant and their possible substitutes, sorted."""
    return tuple(sorted((person, *problem.substitutes_of.get(person, ()))))


def _free(problem: SolverProblem, board: Board, person: str) -> SlotSet:
    return problem.open_slots & board.possible_slots(person) & ~board.busy[person]


def _most(problem: SolverProblem, board: Board, person: str) -> int:
    slots = _free(problem, board, person).bit_count()
    if problem.quota is None:
        return slots
    return max(0, min(slots, problem.quota - len(board.assignments_of[person])))


def _free_table_slots(board: Board, zone_ids: Iterable[str], slots: SlotSet) -> int:
    """Count the free slots of all tables of these zones, among `slots`."""
    return sum((slots & ~taken).bit_count() for zone_id in zone_ids for taken in board.tables.get(zone_id, {}).values())
