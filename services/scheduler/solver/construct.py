"""A first agenda from the inputs alone, always the same: encounters in several orders, others moved aside."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice

from services.scheduler.domain.improvement.problem import Candidate, Problem
from services.scheduler.domain.objective.priority import demand_key, placement_key, smallest_key_first
from services.scheduler.domain.timetable.board import Board
from services.scheduler.domain.timetable.ejection import make_room, rearrange
from services.scheduler.domain.timetable.placement import find_assignment

_MOVES = 4
#: Encounters for which others are moved aside: on an edition with far more wishes than room, most of it is in vain.
_ROOM_SOUGHT = 200
#: Orders tried beside the hardest first: on full editions some place a few more.
_SHUFFLES = 3


def construct(problem: Problem, most: int, seed: int) -> Board:
    """The best board of the hardest first, the most wanted first, and a few shuffled orders.

    It is enough once it has `most`, or everybody.
    """
    chance = random.Random(seed)  # noqa: S311 - it must be repeatable, not secret
    hardest_first = _hardest_first(problem)
    best = _in_order(problem, hardest_first, most)
    everybody = len(problem.fixed) + len(problem.candidates)
    if problem.least is None and len(best.placed) < everybody:  # with a least, the most wanted come first in any order
        wanted_first = sorted(hardest_first, key=lambda each: each.demand.rank)
        best = max(best, _in_order(problem, wanted_first, most), key=problem.weight)
    enough = everybody if problem.search_policy.is_fair_first else most
    for _ in range(_SHUFFLES):
        if len(best.placed) >= enough:
            break
        shuffled = chance.sample(problem.candidates, len(problem.candidates))
        best = max(best, _in_order(problem, shuffled, most), key=problem.weight)
    return best


def _in_order(problem: Problem, candidates: Sequence[Candidate], most: int) -> Board:
    board = problem.board()
    left = [each for each in _preferred(problem, board, candidates) if not _seat(problem, board, each)]
    for each in islice(_neediest_first(problem, board, left), _ROOM_SOUGHT):
        if len(board.placed) >= most:
            break
        _make_room(problem, board, each, _MOVES)
    return board


def fill(problem: Problem) -> Board:
    """The incumbent with encounters that wait placed where that moves at most `budget_to_place` others, in all."""
    board = problem.board()
    waiting = []
    for each in problem.candidates:
        seat = problem.incumbent.get(each.meeting.pair_id)
        if seat is None:
            waiting.append(each)
        else:
            board.place(each.meeting, seat)
    budget = problem.budget_to_place
    for each in _neediest_first(problem, board, waiting):
        if not _seat(problem, board, each):
            budget -= _make_room(problem, board, each, min(_MOVES, budget))
    return board


def _seat(problem: Problem, board: Board, candidate: Candidate) -> bool:
    seat, _ = find_assignment(board, candidate.meeting, problem.open_slots)
    if seat is None:
        return False
    board.place(candidate.meeting, seat)
    return True


def _make_room(problem: Problem, board: Board, candidate: Candidate, most_moves: int) -> int:
    """Seat a candidate by moving others; returns how many were moved."""
    seating = make_room(board, candidate.meeting, problem.open_slots, most_moves)
    return rearrange(board, candidate.meeting, seating) if seating else 0


def _neediest_first(problem: Problem, board: Board, candidates: Iterable[Candidate]) -> Iterator[Candidate]:
    def need_of(each: Candidate) -> tuple[object, ...]:
        served = [problem.served(board, person) for person in each.meeting.participant_ids]
        return (*placement_key(each.demand, served, problem.least), each.meeting.pair_id)

    return smallest_key_first(candidates, need_of)


def _preferred(problem: Problem, board: Board, candidates: Sequence[Candidate]) -> Iterable[Candidate]:
    """The same in their order; but where everybody should have some encounters at least, who has fewer comes first."""
    if problem.least is None:
        return candidates
    order = {each.meeting.pair_id: number for number, each in enumerate(candidates)}

    def turn(each: Candidate) -> tuple[int, bool, bool, int]:
        others = (len(board.assignments_of[person]) for person in each.meeting.participant_ids)
        return *demand_key(each.demand, others, problem.least), order[each.meeting.pair_id]

    return smallest_key_first(candidates, turn)


def _hardest_first(problem: Problem) -> list[Candidate]:
    """By how much of their common time they are asked for by all who want to meet them."""
    board = problem.board()
    demand = Counter(chain.from_iterable(each.meeting.participant_ids for each in problem.candidates))

    def pressure(each: Candidate) -> float:
        people, common = each.meeting.participant_ids, problem.open_slots
        for person in people:
            common &= board.possible_slots(person)
        return sum(demand[person] for person in people) / (common.bit_count() + 1)

    return sorted(
        problem.candidates,
        key=lambda each: (-pressure(each), *each.demand.rank, -each.demand.score, each.meeting.pair_id),
    )
