"""Windows in time for meetings with an order, so that a search without knowledge of the order keeps it."""

from __future__ import annotations

from services.scheduler.domain.improvement.problem import SolverProblem
from services.scheduler.domain.timetable.board import Board
from services.scheduler.domain.timetable.timeline import SlotSet


def windows(problem: SolverProblem, board: Board) -> dict[str, SlotSet]:
    """Return windows by pair. Ordered meetings keep their order wherever they move within their windows.

    Placed meetings lie within their windows if they are in order: the time between two of them is cut half way.
    """
    left: dict[str, SlotSet] = {}
    for later, comes_after in problem.comes_after.items():
        for earlier in comes_after:
            before, after = _cut(problem, board, earlier, later)
            left[earlier] = left.get(earlier, problem.all_slots) & before
            left[later] = left.get(later, problem.all_slots) & after
    return left


def _cut(problem: SolverProblem, board: Board, earlier: str, later: str) -> tuple[SlotSet, SlotSet]:
    """Return the slots left to the earlier and to the later meeting.

    A meeting that stays leaves all of the remaining time.
    """
    has_earlier, has_later = earlier in board.placed, later in board.placed
    after, before = board.slots_before_and_after(earlier)[1], board.slots_before_and_after(later)[0]
    if earlier in problem.fixed or (has_earlier and not has_later):
        return problem.all_slots & ~after, after
    if later in problem.fixed or (has_later and not has_earlier):
        return before, problem.all_slots & ~before
    middle = problem.all_slots.bit_length() // 2
    if has_earlier and has_later:
        middle = (board.placed[earlier][1].slots.bit_length() + board.placed[later][1].slots.bit_length()) // 2
    before = (1 << middle) - 1
    return before, problem.all_slots & ~before
