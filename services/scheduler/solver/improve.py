"""Improve an edition's agenda: a pure function of the problem and of how much effort to spend, the same everywhere."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

from services.scheduler.domain.improvement.problem import Problem, Solution
from services.scheduler.domain.timetable.board import Board
from services.scheduler.domain.timetable.placement import find_assignment, misplaced_pairs
from services.scheduler.domain.timetable.timeline import SlotSet
from services.scheduler.solver.bound import placement_bound
from services.scheduler.solver.construct import construct, fill
from services.scheduler.solver.draft import Draft
from services.scheduler.solver.effort import Effort
from services.scheduler.solver.fewest_breaks import fewest_breaks
from services.scheduler.solver.polish import CHEAP, polish
from services.scheduler.solver.tables import deal
from services.scheduler.solver.windows import windows

#: The share of the Kempe chains that are tried before neighbourhoods are solved: they place most of what waits.
_FIRST_SHARE = 0.05

Report = Callable[[Solution], None]


def improve(problem: Problem, effort: Effort, report: Report = lambda _: None) -> Solution:
    """The best agenda found, and how many encounters any agenda could place at most.

    Before the agendas are announced it is made from the inputs alone, so that it does not depend on the order in which
    they came, unless that places fewer than the incumbent, or less wanted ones: then the incumbent is bettered. After,
    the incumbent is kept, but for `change_budget` moves at most, for others to be placed or against breaks, as the
    problem's aims have it. `report` is told of each better agenda on the way, for whoever ends this early.
    """
    most = placement_bound(problem)
    if problem.announced:
        filled = _fill_more(problem, fill(problem), most, effort)
        if not problem.search_policy.moves_against_breaks:
            return problem.solved(filled, most)
        report(problem.solved(filled, most))
        return problem.solved(_moved_against_breaks(problem, filled, effort), most)
    built = construct(problem, most, effort.seed)
    incumbent = _incumbent(problem)
    if problem.weight(incumbent) > problem.weight(built):
        built = incumbent
    report(problem.solved(built, most))
    pairs = problem.of_pairs(built)
    draft = _draft(pairs, built)

    def better() -> None:
        report(problem.solved(_dealt(pairs, draft, built), most))

    steps = _steps(problem, effort)
    if draft.placed() < len(draft.pairs):
        polish(draft, effort.seed, round(_FIRST_SHARE * steps), better)
        _place_more(pairs, most - len(pairs.fixed), draft, effort)
    polish(draft, effort.seed, steps, better)
    solution = problem.solved(_dealt(pairs, draft, built), most)
    # With those of more than two elsewhere, or with stand-ins, there might be fewer than the draft could ever have.
    is_all = pairs is problem and not problem.substitutes_of
    return replace(solution, fewest_breaks=fewest_breaks(draft) if is_all else 0)


def _incumbent(problem: Problem) -> Board:
    board = problem.board()
    for each in problem.candidates:
        if each.meeting.pair_id in problem.incumbent:
            board.place(each.meeting, problem.incumbent[each.meeting.pair_id])
    return board


def _draft(problem: Problem, board: Board) -> Draft:
    draft, left = Draft(problem), windows(problem, board)
    for number, wanted in enumerate(draft.pairs):
        if wanted.pair_id in left:
            draft.within[number] = left[wanted.pair_id]
        if wanted.pair_id in board.placed:
            draft.place(number, board.placed[wanted.pair_id][1].slots)
    return draft


def _dealt(problem: Problem, draft: Draft, built: Board) -> Board:
    """The draft with its tables; or what it began as, if that is better: the draft does not know all rules."""
    board = problem.board()
    deal(board, [(wanted, slot) for wanted, slot in zip(draft.pairs, draft.slot, strict=True) if slot])
    unplaced = [board.remove(pair)[0] for pair in misplaced_pairs(board) if pair not in problem.fixed]
    unplaced += [draft.pairs[number] for number in draft.within if not draft.slot[number]]
    for wanted in unplaced:
        seat, _ = find_assignment(board, wanted, problem.open_slots)
        if seat is not None:
            board.place(wanted, seat)
    return board if problem.weight(board) >= problem.weight(built) else built


def _fill_more(problem: Problem, filled: Board, most: int, effort: Effort) -> Board:
    """Place more of what waits along longer chains, with the fewest moves, if the change budget is not used up."""
    if len(filled.placed) >= min(most, len(problem.fixed) + len(problem.candidates)) or not problem.budget_to_place:
        return filled
    pairs = problem.of_pairs(filled)
    draft = _draft(pairs, filled)
    steps = round(_FIRST_SHARE * _steps(problem, effort))
    polish(draft, effort.seed, steps, told=_told(pairs, draft), budget=problem.budget_to_place)
    board = _seated(pairs, draft)
    return board if len(board.placed) > len(filled.placed) and not misplaced_pairs(board) else filled


def _moved_against_breaks(problem: Problem, filled: Board, effort: Effort) -> Board:
    """Fewer breaks with what placing has left of the change budget; all who have a place keep one.

    Tables are told as well, so that somebody who moves may find none: then half as many are moved.
    """
    has_place = tuple(each for each in problem.candidates if each.meeting.pair_id in filled.placed)
    placed, budget = replace(problem, candidates=has_place).of_pairs(filled), problem.change_budget
    while budget:
        draft = _draft(placed, filled)
        told = _told(placed, draft)
        polish(draft, effort.seed, _steps(placed, effort), told=told, budget=budget, move_price=CHEAP)
        board = _seated(placed, draft)
        if len(board.placed) == len(filled.placed) and not misplaced_pairs(board):
            return board
        budget //= 2
    return filled


def _told(problem: Problem, draft: Draft) -> dict[int, SlotSet]:
    """The slots of the incumbent's encounters, by their numbers in the draft."""
    seats = problem.incumbent
    return {number: seats[each.pair_id].slots for number, each in enumerate(draft.pairs) if each.pair_id in seats}


def _seated(problem: Problem, draft: Draft) -> Board:
    """The draft with the incumbent's tables, and any for those who move, who may find none."""
    board = problem.board()
    moved = []
    for wanted, slot in zip(draft.pairs, draft.slot, strict=True):
        seat = problem.incumbent.get(wanted.pair_id)
        if seat is not None and seat.slots == slot:
            board.place(wanted, seat)
        elif slot:
            moved.append((wanted, slot))
    for wanted, slot in moved:
        seat, _ = find_assignment(board, wanted, slot)
        if seat is not None:
            board.place(wanted, seat)
    return board


def _steps(problem: Problem, effort: Effort) -> int:
    return min(effort.steps * len(problem.candidates), effort.most_steps)


def _place_more(problem: Problem, most: int, draft: Draft, effort: Effort) -> None:
    """Re-seat neighbourhoods around participants who miss an encounter, until no more can be placed.

    Then around those who are wanted more than others who have a place, or have fewer encounters than the least.
    """
    # Imported where it is needed: OR-Tools' CP-SAT takes most of a second to load.
    from services.scheduler.solver.neighbourhood import group_around, reseat  # noqa: PLC0415

    chance = random.Random(effort.seed)  # noqa: S311 - it must be repeatable, not secret
    for _ in range(effort.rounds):
        missing = _missing(problem, draft, draft.placed() >= most)
        if not missing:
            return
        group = group_around(draft, chance.choice(missing), chance)
        reseat(draft, problem.candidates, group, effort.seed, effort.round_effort)


def _missing(problem: Problem, draft: Draft, is_full: bool) -> list[int]:
    """Who misses an encounter, sorted; in a full agenda, those only who come before somebody who has a place."""
    ranks = [each.demand.rank for each in problem.candidates]
    last = max((rank for rank, slot in zip(ranks, draft.slot, strict=True) if slot), default=())
    return sorted(
        {
            person
            for pair, slot in enumerate(draft.slot)
            if not slot
            for person in draft.sides[pair]
            if not is_full or ranks[pair] < last or draft.served(person).shortfall(draft.least)
        }
    )
