"""Moves of a repair: as few encounters as possible are at another hour than before the step (ADR 0068).

"Fewest" is meant among the agendas that place the same encounters, with the same people. An encounter has not moved at
its hour before the step, or at its settled hour (ADR 0050). The move of an encounter that has no settled hour is free.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain

from services.scheduler.domain import timing
from services.scheduler.domain.decision import DecisionInProgress
from services.scheduler.domain.repair import settling
from services.scheduler.domain.timetable.board import Assignment, Meeting
from services.scheduler.domain.timetable.ejection import Assignments
from services.scheduler.domain.timetable.placement import choose_table, find_assignment
from services.scheduler.domain.timetable.rules import no_table_twice, slots_left
from services.scheduler.domain.timetable.timeline import SlotSet, bits
from services.scheduler.domain.timetable.trial import Trial
from shared.contract.events import Cause


def spare_moves(decision: DecisionInProgress, cause: Cause) -> None:
    """Send encounters back to their hours that the step has moved without need, and move fewer encounters instead.

    First every encounter alone, if free moves make room for it; then all together, by an exact search.
    """
    if not decision.state.announced:
        return
    moves = _Moves(decision)
    has_moved = False
    for pair_id in moves.needless():
        back = moves.returning(pair_id)
        has_moved |= bool(back)
        decision.place_all(back, cause)
    if left := moves.needless():
        fewer = moves.fewer(left)
        has_moved |= bool(fewer)
        decision.place_all(fewer, cause)
    # An encounter that goes back may leave the table of another encounter, which is at its hour already.
    while has_moved and (tables := moves.settled_table()):
        decision.place_all(tables, cause)


class _Moves:
    """The moves of a decision's present step."""

    def __init__(self, decision: DecisionInProgress) -> None:
        self._decision = decision
        self._state = decision.state
        self._board = decision.state.board
        self._open_slots = timing.open_slots(decision.state, decision.now)

    def needless(self) -> list[str]:
        """List the encounters that the step has moved although the facts allow them their hour."""
        return [
            pair_id
            for pair_id in sorted(self._decision.before)
            if pair_id in self._state.placements
            and self._is_away(pair_id)
            and self._possible_home(pair_id)
            and self._may_move(pair_id)
        ]

    def returning(self, pair_id: str) -> Assignments:
        """Return assignments with the encounter at its hour that cost no move, or nothing."""
        meeting, _ = self._board.placed[pair_id]
        for slot in bits(self._possible_home(pair_id)):
            for giving_way in self._giving_way(meeting, slot):
                if found := self._rearranged(meeting, slot, giving_way):
                    return found
        return {}

    def fewer(self, away: list[str]) -> Assignments:
        """Return assignments with the fewest moves, or nothing if there are no fewer."""
        # Slow to import, and needed by few steps.
        from services.scheduler.solver.fewer_moves import Home, fewer_moves  # noqa: PLC0415

        def home_of(pair_id: str) -> Home | None:
            is_free = self._has_no_hour(pair_id)
            return Home(self._home(pair_id), is_free=is_free) if self._may_move(pair_id) else None

        return self._with_tables(fewer_moves(self._board, home_of, away, self._open_slots))

    def settled_table(self) -> Assignments:
        """Return the assignment of an encounter at its settled hour whose settled table is free, or nothing."""
        for pair_id in sorted(settling.open_places(self._state, self._decision.now)):
            settled = settling.settled_assignment(self._state, pair_id, self._decision.now)
            meeting, assignment = self._board.placed.get(pair_id, (None, None))
            if settled is None or meeting is None or assignment is None or not self._may_move(pair_id):
                continue
            if assignment.slots != settled.slots or assignment == settled:
                continue
            with Trial(self._board) as trial:
                trial.remove(pair_id)
                is_free = choose_table(self._board, meeting, settled.slots, settled) == settled
            if is_free:
                return {pair_id: settled}
        return {}

    def _home(self, pair_id: str) -> SlotSet:
        """Return the slots in which the encounter has not moved: before the step, and settled."""
        before, settled = self._decision.before.get(pair_id), self._state.unsettled.get(pair_id)
        slots = 0
        for place in (before.place if before else self._state.placements[pair_id], settled and settled.place):
            index = self._state.timeline.index_of(place) if place else None
            slots |= 0 if index is None else 1 << index
        return slots

    def _has_no_hour(self, pair_id: str) -> bool:
        """Return whether the encounter had no settled place, and none before the step."""
        before, settled = self._decision.before.get(pair_id), self._state.unsettled.get(pair_id)
        is_new = before is not None and before.place is None and (settled is None or settled.place is None)
        return is_new or settling.is_fresh(self._state, pair_id)

    def _is_away(self, pair_id: str) -> bool:
        return not self._home(pair_id) & self._board.placed[pair_id][1].slots and not self._has_no_hour(pair_id)

    def _possible_home(self, pair_id: str) -> SlotSet:
        """Return the slots of `_home` that may be given and that the facts allow."""
        slots = self._home(pair_id) & self._open_slots
        for participant_id in self._state.pairs[pair_id].people:
            slots &= self._board.possible_slots(participant_id)
        return slots

    def _may_move(self, pair_id: str) -> bool:
        state, now, before = self._state, self._decision.now, self._decision.before.get(pair_id)
        had_to_stay = before and before.place and timing.must_stay(state, pair_id, before.place, now)
        return not (
            had_to_stay
            or timing.is_history(state, pair_id, now)
            or timing.stays(state, pair_id, now)
            or state.timeline.index_of(state.placements[pair_id]) is None
        )

    def _moves_freely(self, pair_id: str) -> bool:
        """Return whether a further move of the encounter costs nothing."""
        return (self._has_no_hour(pair_id) or self._is_away(pair_id)) and self._may_move(pair_id)

    def _giving_way(self, meeting: Meeting, slot: SlotSet) -> Iterator[list[str]]:
        """Yield the encounters that leave the slot to the meeting if they move; their moves are free."""
        board = self._board
        of_people = {
            pair_id
            for participant_id in meeting.participant_ids
            for pair_id, assignment in board.assignments_of[participant_id].items()
            if assignment.slots & slot
        }
        if not all(map(self._moves_freely, of_people)):
            return
        in_zones = (
            pair_id
            for pair_id in board.pairs_in_slot(slot)
            if board.placed[pair_id][1].zone_id in meeting.zone_ids and pair_id not in of_people
        )
        at_tables = filter(self._moves_freely, in_zones)
        leaves_table = bool(no_table_twice(board, meeting) & slot) or bool(of_people)
        yield from (
            [*sorted(of_people), *more] for more in chain([[]] if leaves_table else [], ([x] for x in at_tables))
        )

    def _rearranged(self, meeting: Meeting, slot: SlotSet, giving_way: list[str]) -> Assignments:
        """Return assignments with the meeting in the slot and with new places for these encounters, or nothing."""
        with Trial(self._board) as trial:
            leaving = [self._board.placed[pair_id][0] for pair_id in giving_way]
            for pair_id in (meeting.pair_id, *giving_way):
                trial.remove(pair_id)
            if not slots_left(self._board, meeting, slot)[0]:
                return {}
            found = {meeting.pair_id: choose_table(self._board, meeting, slot, self._former(meeting.pair_id))}
            trial.place(meeting, found[meeting.pair_id])
            for other in leaving:
                assignment, _ = find_assignment(self._board, other, self._open_slots, self._former(other.pair_id))
                if assignment is None:
                    return {}
                found[other.pair_id] = assignment
                trial.place(other, assignment)
        return found

    def _with_tables(self, hours: Mapping[str, SlotSet]) -> Assignments:
        """Return assignments at these hours, at former tables where possible; nothing if the tables do not suffice."""
        found: Assignments = {}
        with Trial(self._board) as trial:
            meetings = [self._board.placed[pair_id][0] for pair_id in hours]
            for pair_id in hours:
                trial.remove(pair_id)
            for meeting in sorted(meetings, key=lambda meeting: (len(meeting.zone_ids), meeting.pair_id)):
                slot = hours[meeting.pair_id]
                if not no_table_twice(self._board, meeting) & slot:
                    found |= self._freed_table(trial, meeting, slot)
                if not slots_left(self._board, meeting, slot)[0]:
                    return {}
                found[meeting.pair_id] = choose_table(self._board, meeting, slot, self._former(meeting.pair_id))
                trial.place(meeting, found[meeting.pair_id])
        return found

    def _freed_table(self, trial: Trial, meeting: Meeting, slot: SlotSet) -> Assignments:
        """Send an encounter in the slot to a table that the meeting may not have; return its assignment, or nothing."""
        for pair_id in self._board.pairs_in_slot(slot):
            other, assignment = self._board.placed[pair_id]
            has_table = no_table_twice(self._board, other) & slot
            if has_table and assignment.zone_id in meeting.zone_ids and self._may_move(pair_id):
                trial.remove(pair_id)
                elsewhere = choose_table(self._board, other, slot)
                trial.place(other, elsewhere)
                return {pair_id: elsewhere}
        return {}

    def _former(self, pair_id: str) -> Assignment | None:
        """Return the assignment of the encounter before the step."""
        before = self._decision.before.get(pair_id)
        place = before.place if before else self._state.placements[pair_id]
        return self._state.assignment(place) if place else None
