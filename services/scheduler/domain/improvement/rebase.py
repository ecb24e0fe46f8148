"""Re-base: an improved agenda put on the edition as it is now, after what came in while it was made."""

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
    """The solution's seats as far as the rules leave them now, and others for whom it does not know or who lost theirs.

    What stays is where it is. Once agendas are announced nobody who has a place loses it, and only encounters that the
    solution moves are moved, within its change budget.
    """
    rebase = _Rebase(state, solution, now)
    if state.announced:
        rebase.move_a_few()
    else:
        rebase.seat_all_anew()
    return {pair: seat for pair, (_, seat) in rebase.board.placed.items()}


class _Rebase:
    """A board with what stays, and who is still to be seated, the most wanted first."""

    def __init__(self, state: AgendaState, solution: Solution, now: datetime) -> None:
        problem = problem_of(state, now, solution.change_budget)
        wanted_first = sorted(
            problem.candidates, key=lambda each: (*each.demand.rank, -each.demand.score, each.meeting.pair_id)
        )
        self.board = problem.board()
        self._solution = solution
        #: Seats of what lay between the slots say nothing: it is history, or the slots are others by now.
        self._seats = {pair: seat for pair, seat in solution.assignments.items() if seat.slots.bit_count() == 1}
        self._most_moves = most_moves(state)
        self._search_policy = problem.search_policy
        self._present = problem.incumbent
        self._unplaced = [each.meeting for each in wanted_first]
        self._open_slots = problem.open_slots
        #: Who waits may be seated as late as insert would; who has a place moves only to where it is told in time.
        self._late_slots = {pair: timing.slots_for(state, pair, now) for pair in state.waiting if state.is_live}

    def seat_all_anew(self) -> None:
        """Where the solution has them, else where they are, else where there is a seat, or others can make room."""
        for find in (self._there, self._at_that_time, self._here, self._anywhere):
            self._unplaced = self._seat(self._unplaced, find)
        budget = SearchBudget()
        for wanted in self._unplaced:
            if seating := make_room(self.board, wanted, self._open_slots, self._most_moves, budget):
                rearrange(self.board, wanted, seating)

    def move_a_few(self) -> None:
        """Everybody where they are but whom the solution moves; then who waits."""
        movers = [each for each in self._unplaced if each.pair_id in self._present and self._is_moved(each.pair_id)]
        movers = movers[: self._solution.change_budget]
        moving, waiting = {each.pair_id for each in movers}, []
        for wanted in self._unplaced:
            if wanted.pair_id not in self._present:
                waiting.append(wanted)
            elif wanted.pair_id not in moving:
                self._stay(wanted)
        self._move(movers)
        for find in (self._there, self._at_that_time, self._anywhere):
            waiting = self._seat(waiting, find)
        if not self._search_policy.moves_against_breaks:
            self._move_back(movers)

    def _is_moved(self, pair_id: str) -> bool:
        return self._solution.moves(pair_id) and self._seats.get(pair_id) not in {None, self._present[pair_id]}

    def _move(self, movers: list[Meeting]) -> None:
        """Those who find their new seat taken stay; and if another has moved to where they are, that one does not."""
        while movers:
            left = movers
            for find in (self._there, self._at_that_time, self._here):
                left = self._seat(left, find)
            if not left:
                return
            for wanted in movers:
                if wanted.pair_id in self.board.placed:
                    self.board.remove(wanted.pair_id)
            for wanted in left:
                self._stay(wanted)
            movers = [each for each in movers if each not in left]

    def _move_back(self, movers: Iterable[Meeting]) -> None:
        """Who moved for the sake of somebody who is not there any more need not have."""
        for wanted in movers:
            seat = self.board.remove(wanted.pair_id)[1]
            self.board.place(wanted, self._here(wanted) or seat)

    def _stay(self, wanted: Meeting) -> None:
        self.board.place(wanted, self._present[wanted.pair_id])

    def _seat(self, unplaced: Iterable[Meeting], find: _Find) -> list[Meeting]:
        """Seat each if there is a seat to be found; returns the others."""
        left = []
        for wanted in unplaced:
            seat = find(wanted)
            if seat is None:
                left.append(wanted)
            else:
                self.board.place(wanted, seat)
        return left

    def _there(self, wanted: Meeting) -> Assignment | None:
        seat = self._seats.get(wanted.pair_id)
        is_free = seat is not None and seat.slots & self._allowed(wanted) and is_allowed(self.board, wanted, seat)
        return seat if is_free else None

    def _at_that_time(self, wanted: Meeting) -> Assignment | None:
        seat = self._seats.get(wanted.pair_id)
        return find_assignment(self.board, wanted, self._allowed(wanted) & seat.slots, seat)[0] if seat else None

    def _here(self, wanted: Meeting) -> Assignment | None:
        seat = self._present.get(wanted.pair_id)
        return seat if seat is not None and is_allowed(self.board, wanted, seat) else None

    def _anywhere(self, wanted: Meeting) -> Assignment | None:
        return find_assignment(self.board, wanted, self._allowed(wanted), self._present.get(wanted.pair_id))[0]

    def _allowed(self, wanted: Meeting) -> SlotSet:
        return self._late_slots.get(wanted.pair_id, self._open_slots)
