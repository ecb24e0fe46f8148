"""A first agenda from the inputs alone, always the same: encounters in several orders, others moved aside."""

from __future__ import annotations

import random
from collections.abc import Iterable

from services.scheduler.domain.board import Board
from services.scheduler.domain.insert import find_seat, make_room
from services.scheduler.domain.problem import Candidate, Problem

_MOVES = 4
#: Encounters for which others are moved aside: on an edition with far more wishes than room, most of it is in vain.
_ROOM_SOUGHT = 200
#: Orders tried beside the hardest first: on full editions some place a few more.
_SHUFFLES = 3


def construct(problem: Problem, most: int, seed: int) -> Board:
    """The best board of the hardest-first order and a few shuffled ones; enough once it has `most`, or everybody."""
    chance = random.Random(seed)  # noqa: S311 - it must be repeatable, not secret
    best = _in_order(problem, _hardest_first(problem))
    enough = len(problem.fixed) + len(problem.candidates) if problem.aims.is_fair_first else most
    for _ in range(_SHUFFLES):
        if len(best.placed) >= enough:
            break
        shuffled = chance.sample(problem.candidates, len(problem.candidates))
        best = max(best, _in_order(problem, shuffled), key=problem.weight)
    return best


def _in_order(problem: Problem, candidates: Iterable[Candidate]) -> Board:
    board = problem.board()
    left = [each for each in candidates if not _seat(problem, board, each)]
    for each in _least_served_first(board, left)[:_ROOM_SOUGHT]:
        _make_room(problem, board, each, _MOVES)
    return board


def fill(problem: Problem) -> Board:
    """The incumbent with encounters that wait placed where that moves at most `budget_to_place` others, in all."""
    board = problem.board()
    waiting = []
    for each in problem.candidates:
        seat = problem.incumbent.get(each.wanted.pair_id)
        if seat is None:
            waiting.append(each)
        else:
            board.put(each.wanted, seat)
    budget = problem.budget_to_place
    for each in _least_served_first(board, waiting):
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


def _least_served_first(board: Board, candidates: Iterable[Candidate]) -> list[Candidate]:
    """By the encounters of the one of the two who has fewer, then by how much they are wanted."""

    def served(each: Candidate) -> int:
        return min(len(board.encounters_of[each.wanted.one]), len(board.encounters_of[each.wanted.other]))

    return sorted(candidates, key=lambda each: (served(each), -each.priority, -each.score, each.wanted.pair_id))


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
