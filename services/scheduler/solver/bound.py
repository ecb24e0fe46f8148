"""Prove: how many encounters could be placed at most, whatever the agenda."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable

from ortools.linear_solver import pywraplp

from services.scheduler.domain.board import Board, Wanted
from services.scheduler.domain.problem import Problem
from services.scheduler.domain.rules import all_available, sessions_attended

#: The simplex is exact to about this much; an integer bound must not be lost to rounding.
_TOLERANCE = 1e-6


def bound(problem: Problem) -> int:
    """An upper bound on the encounters placed, fixed ones included.

    It is the b-matching linear programme: a share of each pair that has a slot in common; a participant's shares at
    most the slots free to them and the quota left; all shares that need a zone at most its tables times the slots.
    """
    board = problem.board()
    pairs = [each.wanted for each in problem.candidates if _common(problem, board, each.wanted)]
    solver = pywraplp.Solver.CreateSolver("GLOP")
    share = {wanted.pair_id: solver.NumVar(0, 1, "") for wanted in pairs}
    of_person: defaultdict[str, list[str]] = defaultdict(list)
    for wanted in pairs:
        for person in wanted.people:
            of_person[person].append(wanted.pair_id)
    for person, theirs in of_person.items():
        solver.Add(sum(share[pair] for pair in theirs) <= _most(problem, board, person))
    for zones in {wanted.zones for wanted in pairs}:
        within = [share[wanted.pair_id] for wanted in pairs if set(wanted.zones) <= set(zones)]
        solver.Add(sum(within) <= _seats(problem, board, zones))
    solver.Maximize(sum(share.values()))
    if solver.Solve() != pywraplp.Solver.OPTIMAL:
        return len(problem.fixed) + len(pairs)
    most: float = solver.Objective().Value()
    return len(problem.fixed) + math.floor(most + _TOLERANCE)


def _common(problem: Problem, board: Board, wanted: Wanted) -> int:
    possible = all_available(board, wanted) & sessions_attended(board, wanted)
    return problem.open_slots & possible & ~board.busy_of(wanted)


def _most(problem: Problem, board: Board, person: str) -> int:
    slots = (problem.open_slots & board.free_of(person) & ~board.busy[person]).bit_count()
    if problem.quota is None:
        return slots
    return max(0, min(slots, problem.quota - len(board.encounters_of[person])))


def _seats(problem: Problem, board: Board, zones: Iterable[str]) -> int:
    """Free places at the tables of these zones, over all open slots."""
    return sum(
        (problem.open_slots & ~taken).bit_count() for zone in zones for taken in board.tables.get(zone, {}).values()
    )
