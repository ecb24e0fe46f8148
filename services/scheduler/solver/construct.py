"""A first agenda from the inputs alone: meetings are placed in several orders, with room made for some of them.

The result is deterministic.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice

from services.scheduler.domain.improvement.problem import Candidate, SolverProblem
from services.scheduler.domain.objective.priority import demand_key, placement_key, smallest_key_first
from services.scheduler.domain.timetable.board import Board
from services.scheduler.domain.timetable.ejection import make_room, rearrange
from services.scheduler.domain.timetable.placement import find_assignment

_MOVES = 4
#: Meetings for which room is made. On editions with far more demand than room, most further searches would fail.
_ROOM_SOUGHT = 200
#: Shuffled orders tried. On full editions some of them place a few more meetings.
_SHUFFLES = 3


def construct(problem: SolverProblem, most: int, seed: int) -> Board:
    """Return the best board of several orders: hardest first, highest rank first, and a few shuffled orders.

    The search stops once a board places all meetings, or `most` of them unless the floor comes first.
    """
    chance = random.Random(seed)  # noqa: S311 - it must be repeatable, not secret
    hardest_first = _hardest_first(problem)
    best = _in_order(problem, hardest_first, most)
    all_meetings = len(problem.fixed) + len(problem.candidates)
    if problem.least is None and len(best.placed) < all_meetings:  # with a minimum, rank comes first in any order
        by_rank = sorted(hardest_first, key=lambda candidate: candidate.demand.rank)
        best = max(best, _in_order(problem, by_rank, most), key=problem.weight)
    enough = all_meetings if problem.search_policy.is_fair_first else most
    for _ in range(_SHUFFLES):
        if len(best.placed) >= enough:
            break
        shuffled = chance.sample(problem.candidates, len(problem.candidates))
        best = max(best, _in_order(problem, shuffled, most), key=problem.weight)
    return best


def _in_order(problem: SolverProblem, candidates: Sequence[Candidate], most: int) -> Board:
    board = problem.board()
    ordered = _below_minimum_first(problem, board, candidates)
    left = [candidate for candidate in ordered if not _place(problem, board, candidate)]
    for candidate in islice(_by_placement_key(problem, board, left), _ROOM_SOUGHT):
        if len(board.placed) >= most:
            break
        _make_room(problem, board, candidate, _MOVES)
    return board


def fill(problem: SolverProblem) -> Board:
    """Return the incumbent with waiting meetings added, moving at most `budget_to_place` meetings in all."""
    board = problem.board()
    waiting = []
    for candidate in problem.candidates:
        assignment = problem.incumbent.get(candidate.meeting.pair_id)
        if assignment is None:
            waiting.append(candidate)
        else:
            board.place(candidate.meeting, assignment)
    budget = problem.budget_to_place
    for candidate in _by_placement_key(problem, board, waiting):
        if not _place(problem, board, candidate):
            budget -= _make_room(problem, board, candidate, min(_MOVES, budget))
    return board


def _place(problem: SolverProblem, board: Board, candidate: Candidate) -> bool:
    assignment, _ = find_assignment(board, candidate.meeting, problem.open_slots)
    if assignment is None:
        return False
    board.place(candidate.meeting, assignment)
    return True


def _make_room(problem: SolverProblem, board: Board, candidate: Candidate, most_moves: int) -> int:
    """Place a candidate by moving placed meetings. Returns the number of moves."""
    assignments = make_room(board, candidate.meeting, problem.open_slots, most_moves)
    return rearrange(board, candidate.meeting, assignments) if assignments else 0


def _by_placement_key(problem: SolverProblem, board: Board, candidates: Iterable[Candidate]) -> Iterator[Candidate]:
    def key_of(candidate: Candidate) -> tuple[object, ...]:
        fill_rates = [problem.served(board, person) for person in candidate.meeting.participant_ids]
        return (*placement_key(candidate.demand, fill_rates, problem.least), candidate.meeting.pair_id)

    return smallest_key_first(candidates, key_of)


def _below_minimum_first(problem: SolverProblem, board: Board, candidates: Sequence[Candidate]) -> Iterable[Candidate]:
    """Keep the order, unless the edition has a minimum of meetings: then rank and shortfall come first."""
    if problem.least is None:
        return candidates
    order = {candidate.meeting.pair_id: number for number, candidate in enumerate(candidates)}

    def key_of(candidate: Candidate) -> tuple[int, bool, bool, int]:
        meeting_counts = (len(board.assignments_of[person]) for person in candidate.meeting.participant_ids)
        return *demand_key(candidate.demand, meeting_counts, problem.least), order[candidate.meeting.pair_id]

    return smallest_key_first(candidates, key_of)


def _hardest_first(problem: SolverProblem) -> list[Candidate]:
    """Sort by pressure: the wanted meetings of both participants, divided by their common slots."""
    board = problem.board()
    wanted = Counter(chain.from_iterable(candidate.meeting.participant_ids for candidate in problem.candidates))

    def pressure(candidate: Candidate) -> float:
        people, common = candidate.meeting.participant_ids, problem.open_slots
        for person in people:
            common &= board.possible_slots(person)
        return sum(wanted[person] for person in people) / (common.bit_count() + 1)

    def key_of(candidate: Candidate) -> tuple[float, int, bool, float, str]:
        demand = candidate.demand
        return -pressure(candidate), *demand.rank, -demand.score, candidate.meeting.pair_id

    return sorted(problem.candidates, key=key_of)
