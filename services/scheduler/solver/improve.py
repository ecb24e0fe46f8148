"""Improvement of an edition's agenda: a pure function of the problem and the effort, the same everywhere."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

from services.scheduler.domain.improvement.problem import Solution, SolverProblem
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

#: The share of the Kempe chains tried before neighbourhoods are solved. They place most of the waiting meetings.
_FIRST_SHARE = 0.05

Report = Callable[[Solution], None]


def improve(problem: SolverProblem, effort: Effort, report: Report = lambda _: None) -> Solution:
    """Return the best agenda found, with a bound on the meetings that any agenda could place.

    Before the announcement the agenda is made from the inputs alone, so it does not depend on the order of their
    arrival. Exception: if that places fewer meetings than the incumbent, or lower-ranked meetings, the incumbent is
    improved. After the announcement the incumbent is kept, with at most `change_budget` moves that the problem's search
    policy permits. `report` receives every better agenda on the way, for a caller who ends the work early.
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

    def report_draft() -> None:
        report(problem.solved(_dealt(pairs, draft, built), most))

    steps = _steps(problem, effort)
    if draft.placed_count() < len(draft.pairs):
        polish(draft, effort.seed, round(_FIRST_SHARE * steps), report_draft)
        _place_more(pairs, most - len(pairs.fixed), draft, effort)
    polish(draft, effort.seed, steps, report_draft)
    solution = problem.solved(_dealt(pairs, draft, built), most)
    # With meetings of more than two elsewhere, or with substitutes, fewer breaks might be possible than in any draft.
    is_all = pairs is problem and not problem.substitutes_of
    return replace(solution, fewest_breaks=fewest_breaks(draft) if is_all else 0)


def _incumbent(problem: SolverProblem) -> Board:
    board = problem.board()
    for candidate in problem.candidates:
        if candidate.meeting.pair_id in problem.incumbent:
            board.place(candidate.meeting, problem.incumbent[candidate.meeting.pair_id])
    return board


def _draft(problem: SolverProblem, board: Board) -> Draft:
    draft, by_pair = Draft(problem), windows(problem, board)
    for number, meeting in enumerate(draft.pairs):
        if meeting.pair_id in by_pair:
            draft.windows[number] = by_pair[meeting.pair_id]
        if meeting.pair_id in board.placed:
            draft.place(number, board.placed[meeting.pair_id][1].slots)
    return draft


def _dealt(problem: SolverProblem, draft: Draft, built: Board) -> Board:
    """Return the draft with its tables, or `built`, from which it began, if that is better.

    The draft does not know all rules: meetings that break a rule on the board are placed again.
    """
    board = problem.board()
    deal(board, [(meeting, slot) for meeting, slot in zip(draft.pairs, draft.slot, strict=True) if slot])
    unplaced = [board.remove(pair_id)[0] for pair_id in misplaced_pairs(board) if pair_id not in problem.fixed]
    unplaced += [draft.pairs[number] for number in draft.windows if not draft.slot[number]]
    for meeting in unplaced:
        assignment, _ = find_assignment(board, meeting, problem.open_slots)
        if assignment is not None:
            board.place(meeting, assignment)
    return board if problem.weight(board) >= problem.weight(built) else built


def _fill_more(problem: SolverProblem, filled: Board, most: int, effort: Effort) -> Board:
    """Place more waiting meetings by longer chains with the fewest moves, if the change budget permits any."""
    if len(filled.placed) >= min(most, len(problem.fixed) + len(problem.candidates)) or not problem.budget_to_place:
        return filled
    pairs = problem.of_pairs(filled)
    draft = _draft(pairs, filled)
    steps = round(_FIRST_SHARE * _steps(problem, effort))
    polish(draft, effort.seed, steps, published=_published_slots(pairs, draft), budget=problem.budget_to_place)
    board = _with_published_tables(pairs, draft)
    return board if len(board.placed) > len(filled.placed) and not misplaced_pairs(board) else filled


def _moved_against_breaks(problem: SolverProblem, filled: Board, effort: Effort) -> Board:
    """Spend the rest of the change budget on fewer breaks. Every meeting with a place keeps one.

    Tables are published too, so a meeting that moves may find no table. Then the search starts again with half the
    budget.
    """
    is_placed = tuple(candidate for candidate in problem.candidates if candidate.meeting.pair_id in filled.placed)
    placed, budget = replace(problem, candidates=is_placed).of_pairs(filled), problem.change_budget
    while budget:
        draft = _draft(placed, filled)
        published, steps = _published_slots(placed, draft), _steps(placed, effort)
        polish(draft, effort.seed, steps, published=published, budget=budget, move_price=CHEAP)
        board = _with_published_tables(placed, draft)
        if len(board.placed) == len(filled.placed) and not misplaced_pairs(board):
            return board
        budget //= 2
    return filled


def _published_slots(problem: SolverProblem, draft: Draft) -> dict[int, SlotSet]:
    """Return the slots of the incumbent's meetings, by their numbers in the draft."""
    incumbent = problem.incumbent
    pair_ids = [meeting.pair_id for meeting in draft.pairs]
    return {number: incumbent[pair_id].slots for number, pair_id in enumerate(pair_ids) if pair_id in incumbent}


def _with_published_tables(problem: SolverProblem, draft: Draft) -> Board:
    """Return the draft with the incumbent's tables. Meetings that move get any free table, or no place."""
    board = problem.board()
    moved = []
    for meeting, slot in zip(draft.pairs, draft.slot, strict=True):
        assignment = problem.incumbent.get(meeting.pair_id)
        if assignment is not None and assignment.slots == slot:
            board.place(meeting, assignment)
        elif slot:
            moved.append((meeting, slot))
    for meeting, slot in moved:
        assignment, _ = find_assignment(board, meeting, slot)
        if assignment is not None:
            board.place(meeting, assignment)
    return board


def _steps(problem: SolverProblem, effort: Effort) -> int:
    return min(effort.steps * len(problem.candidates), effort.most_steps)


def _place_more(problem: SolverProblem, most: int, draft: Draft, effort: Effort) -> None:
    """Solve neighbourhoods around participants with a waiting meeting, until no more meetings can be placed.

    Then solve neighbourhoods around waiting meetings that outrank a placed meeting, or whose participants are below
    the minimum.
    """
    # Imported where it is needed: OR-Tools' CP-SAT takes most of a second to load.
    from services.scheduler.solver.neighbourhood import group_around, place_again  # noqa: PLC0415

    chance = random.Random(effort.seed)  # noqa: S311 - it must be repeatable, not secret
    for _ in range(effort.rounds):
        missing = _missing(problem, draft, draft.placed_count() >= most)
        if not missing:
            return
        group = group_around(draft, chance.choice(missing), chance)
        place_again(draft, problem.candidates, group, effort.seed, effort.round_effort)


def _missing(problem: SolverProblem, draft: Draft, is_full: bool) -> list[int]:
    """List the participants with a waiting meeting, sorted.

    In a full agenda, list only participants below the minimum, and participants whose waiting meeting outranks a
    placed meeting.
    """
    ranks = [candidate.demand.rank for candidate in problem.candidates]
    last = max((rank for rank, slot in zip(ranks, draft.slot, strict=True) if slot), default=())
    return sorted(
        {
            person
            for pair, slot in enumerate(draft.slot)
            if not slot
            for person in draft.sides[pair]
            if not is_full or ranks[pair] < last or draft.fill_rate(person).shortfall(draft.least)
        }
    )
