"""Improve an edition's agenda: a pure function of the problem and of how much effort to spend, the same everywhere."""

from __future__ import annotations

import random

from services.scheduler.domain.board import Board, Seat
from services.scheduler.domain.problem import Problem, Solution
from services.scheduler.solver.bound import bound
from services.scheduler.solver.construct import construct, fill
from services.scheduler.solver.draft import Draft
from services.scheduler.solver.effort import Effort
from services.scheduler.solver.neighbourhood import group_around, reseat
from services.scheduler.solver.polish import polish
from services.scheduler.solver.tables import deal


def improve(problem: Problem, effort: Effort) -> Solution:
    """The best agenda found, and how many encounters any agenda could place at most.

    Before the agendas are announced it is made from the inputs alone, so that it does not depend on the order in which
    they came, unless that places fewer than the incumbent: then the incumbent is bettered. After, the incumbent is
    kept, and only encounters that wait are placed, moving at most `change_budget` others.
    """
    most = bound(problem)
    board = fill(problem) if problem.announced else _rebuild(problem, most, effort)
    seats: dict[str, Seat] = {pair: seat for pair, (_, seat) in sorted(board.placed.items())}
    return Solution(problem.version, problem.announced, seats, most)


def _rebuild(problem: Problem, most: int, effort: Effort) -> Board:
    built = construct(problem, most, effort.seed)
    draft = _draft(problem, {pair: seat for pair, (_, seat) in built.placed.items()})
    _place_more(problem, most - len(problem.fixed), draft, effort)
    if draft.placed() < len(problem.incumbent):
        draft = _draft(problem, problem.incumbent)
    polish(draft, effort.seed, effort.steps)
    board = problem.board()
    deal(board, [(wanted, slot) for wanted, slot in zip(draft.pairs, draft.slot, strict=True) if slot])
    return board


def _draft(problem: Problem, seats: dict[str, Seat]) -> Draft:
    draft = Draft(problem)
    for number, wanted in enumerate(draft.pairs):
        if wanted.pair_id in seats:
            draft.put(number, seats[wanted.pair_id].slots)
    return draft


def _place_more(problem: Problem, most: int, draft: Draft, effort: Effort) -> None:
    """Re-seat neighbourhoods around participants who miss an encounter, until no more can be placed."""
    chance = random.Random(effort.seed)  # noqa: S311 - it must be repeatable, not secret
    for _ in range(effort.rounds):
        if draft.placed() >= most:
            return
        missing = sorted({person for pair, slot in enumerate(draft.slot) if not slot for person in draft.sides[pair]})
        group = group_around(draft, chance.choice(missing), chance)
        reseat(draft, problem.candidates, group, effort.seed, effort.round_effort)
