"""Re-base of a solution: its assignments on the edition as it is now, after inputs that came during the solving."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from services.scheduler.domain import timing
from services.scheduler.domain.improvement.problem import Solution, problem_of
from services.scheduler.domain.objective.levels import most_moves
from services.scheduler.domain.state import AgendaState
from services.scheduler.domain.timetable.board import Assignment, Meeting
from services.scheduler.domain.timetable.ejection import SearchBudget, make_room, rearrange
from services.scheduler.domain.timetable.placement import find_assignment, is_allowed
from services.scheduler.domain.timetable.timeline import SlotSet

_Find = Callable[[Meeting], Assignment | None]


def rebased(state: AgendaState, solution: Solution, now: datetime) -> dict[str, Assignment]:
    """Return the solution's assignments as far as the rules still allow them, and new assignments for the rest.

    Meetings that have to stay keep their place. Once agendas are announced no meeting loses its place, and only the
    meetings that the solution moves are moved, within its change budget.
    """
    rebase = _Rebase(state, solution, now)
    if state.announced:
        rebase.move_a_few()
    else:
        rebase.place_all_anew()
    return {pair_id: assignment for pair_id, (_, assignment) in rebase.board.placed.items()}


class _Rebase:
    """A board with the meetings that stay, and the meetings still to be placed, the highest demand first."""

    def __init__(self, state: AgendaState, solution: Solution, now: datetime) -> None:
        problem = problem_of(state, now, solution.change_budget)
        by_demand = sorted(
            problem.candidates, key=lambda item: (*item.demand.rank, -item.demand.score, item.meeting.pair_id)
        )
        self.board = problem.board()
        self._solution = solution
        #: Assignments of exactly one slot: a meeting between the slots is history, or the slots have changed.
        self._assignments = {
            pair_id: assignment
            for pair_id, assignment in solution.assignments.items()
            if assignment.slots.bit_count() == 1
        }
        self._most_moves = most_moves(state)
        self._search_policy = problem.search_policy
        self._present = problem.incumbent
        self._unplaced = [candidate.meeting for candidate in by_demand]
        self._open_slots = problem.open_slots
        #: Slots of waiting pairs, late slots included, as for an insert. A placed meeting moves to an open slot only.
        self._late_slots = {
            pair_id: timing.slots_for(state, pair_id, now) for pair_id in state.waiting if state.is_live
        }

    def place_all_anew(self) -> None:
        """Place meetings as solved, else as at present, else anywhere, else by moving further meetings."""
        for find in (self._as_solved, self._at_solved_time, self._as_present, self._anywhere):
            self._unplaced = self._place(self._unplaced, find)
        budget = SearchBudget()
        for meeting in self._unplaced:
            if assignments := make_room(self.board, meeting, self._open_slots, self._most_moves, budget):
                rearrange(self.board, meeting, assignments)

    def move_a_few(self) -> None:
        """Keep the places of all meetings that the solution does not move; then place the waiting meetings."""
        movers = [
            meeting
            for meeting in self._unplaced
            if meeting.pair_id in self._present and self._is_moved(meeting.pair_id)
        ]
        movers = movers[: self._solution.change_budget]
        moving, waiting = {meeting.pair_id for meeting in movers}, []
        for meeting in self._unplaced:
            if meeting.pair_id not in self._present:
                waiting.append(meeting)
            elif meeting.pair_id not in moving:
                self._stay(meeting)
        self._move(movers)
        for find in (self._as_solved, self._at_solved_time, self._anywhere):
            waiting = self._place(waiting, find)
        if not self._search_policy.moves_against_breaks:
            self._move_back(movers)

    def _is_moved(self, pair_id: str) -> bool:
        return self._solution.moves(pair_id) and self._assignments.get(pair_id) not in {None, self._present[pair_id]}

    def _move(self, movers: list[Meeting]) -> None:
        """Move meetings to their new assignments. A meeting whose assignment is taken stays.

        If another meeting has moved to its place already, that meeting stays too.
        """
        while movers:
            left = movers
            for find in (self._as_solved, self._at_solved_time, self._as_present):
                left = self._place(left, find)
            if not left:
                return
            for meeting in movers:
                if meeting.pair_id in self.board.placed:
                    self.board.remove(meeting.pair_id)
            for meeting in left:
                self._stay(meeting)
            movers = [meeting for meeting in movers if meeting not in left]

    def _move_back(self, movers: Iterable[Meeting]) -> None:
        """Move meetings back whose former place is free: the meeting that needed it has gone meanwhile."""
        for meeting in movers:
            assignment = self.board.remove(meeting.pair_id)[1]
            self.board.place(meeting, self._as_present(meeting) or assignment)

    def _stay(self, meeting: Meeting) -> None:
        self.board.place(meeting, self._present[meeting.pair_id])

    def _place(self, unplaced: Iterable[Meeting], find: _Find) -> list[Meeting]:
        """Place the meetings that `find` finds an assignment for; return the remaining meetings."""
        left = []
        for meeting in unplaced:
            assignment = find(meeting)
            if assignment is None:
                left.append(meeting)
            else:
                self.board.place(meeting, assignment)
        return left

    def _as_solved(self, meeting: Meeting) -> Assignment | None:
        assignment = self._assignments.get(meeting.pair_id)
        is_free = (
            assignment is not None
            and assignment.slots & self._allowed(meeting)
            and is_allowed(self.board, meeting, assignment)
        )
        return assignment if is_free else None

    def _at_solved_time(self, meeting: Meeting) -> Assignment | None:
        assignment = self._assignments.get(meeting.pair_id)
        return (
            find_assignment(self.board, meeting, self._allowed(meeting) & assignment.slots, assignment)[0]
            if assignment
            else None
        )

    def _as_present(self, meeting: Meeting) -> Assignment | None:
        assignment = self._present.get(meeting.pair_id)
        return assignment if assignment is not None and is_allowed(self.board, meeting, assignment) else None

    def _anywhere(self, meeting: Meeting) -> Assignment | None:
        return find_assignment(self.board, meeting, self._allowed(meeting), self._present.get(meeting.pair_id))[0]

    def _allowed(self, meeting: Meeting) -> SlotSet:
        return self._late_slots.get(meeting.pair_id, self._open_slots)
