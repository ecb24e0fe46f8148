"""A first agenda from the inputs alone, always the same: the most constrained encounters first, others moved aside."""

from __future__ import annotations

from services.scheduler.domain.board import Board
from services.scheduler.domain.insert import find_seat, make_room
from services.scheduler.domain.problem import Candidate, Problem

_MOVES = 4


def construct(problem: Problem) -> Board:
    """A board with the fixed encounters and all others that fit, in an order that depends on the problem alone."""
    board = problem.board()
    left = [each for each in _hardest_first(problem) if not _seat(problem, board, each)]
    for each in sorted(left, key=lambda each: (_served(board, each), -each.priority, -each.score, each.wanted.pair_id)):
        _make_room(problem, board, each, _MOVES)
    return board


def fill(problem: Problem) -> Board:
    """The incumbent with encounters that wait placed where that moves at most `change_budget` others, in all."""
    board = problem.board()
    waiting = []
    for each in problem.candidates:
        seat = problem.incumbent.get(each.wanted.pair_id)
        if seat is None:
            waiting.append(each)
        else:
            board.put(each.wanted, seat)
    budget = problem.change_budget
    for each in sorted(
        waiting, key=lambda each: (_served(board, each), -each.priority, -each.score, each.wanted.pair_id)
    ):
        if not _seat(problem, board, each):
            budget -= _make_room(problem, board, each, min(_MOVES, budget))
    return board


def _seat(problem: Problem, board: Board, candidate: Candidate) -> bool:
    seat, _ = find_seat(board, candidate.wanted, problem.open_slots)
    if seat is None:
        return False
    board.put(candidate.wanted, seat)
    return True


def _make_room(problem: Problem, board: Board, candidate: Candidate, most_moves: int) -> int:
    """Seat a candidate by moving others; returns how many were moved."""
    seating = make_room(board, candidate.wanted, problem.open_slots, most_moves) or {}
    moved = [board.lift(pair)[0] for pair in seating if pair in board.placed]
    for wanted in (*moved, *([candidate.wanted] if seating else [])):
        board.put(wanted, seating[wanted.pair_id])
    return len(moved)


def _served(board: Board, candidate: Candidate) -> int:
    """Encounters of the one of the two who has fewer: the least served come first."""
    return min(len(board.encounters_of[candidate.wanted.one]), len(board.encounters_of[candidate.wanted.other]))


def _hardest_first(problem: Problem) -> list[Candidate]:
    """By how much of their common time the two are asked for by all who want to meet them."""
    board = problem.board()
    demand: dict[str, int] = dict.fromkeys(problem.hours, 0)
    for each in problem.candidates:
        demand[each.wanted.one] += 1
        demand[each.wanted.other] += 1

    def pressure(each: Candidate) -> float:
        one, other = each.wanted.one, each.wanted.other
        common = (board.free_of(one) & board.free_of(other) & problem.open_slots).bit_count()
        return (demand[one] + demand[other]) / (common + 1)

    return sorted(
        problem.candidates, key=lambda each: (-pressure(each), -each.priority, -each.score, each.wanted.pair_id)
    )
