"""Moves of a repair: as few encounters as possible are at another hour than before the step (ADR 0068).

"Fewest" is meant among the agendas that place the same encounters, with the same people. An encounter has not moved at
its hour before the step, or at its settled hour (ADR 0050). A pair that the step itself seats may have any hour. An
encounter that the step has brought home stays there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial, reduce
from itertools import chain
from operator import or_

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
            if not self._may_move(pair_id):
                return None
            at_table = filter(partial(self._has_table, pair_id), self._homes(pair_id))
            return Home(self._home(pair_id), _slots(at_table), is_free=self._has_no_hour(pair_id))

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
        return _slots(self._homes(pair_id))

    def _homes(self, pair_id: str) -> Iterator[Assignment]:
        """Yield the encounter's assignments before the step and where it is settled, if they are in a slot now."""
        before, settled = self._decision.before.get(pair_id), self._state.unsettled.get(pair_id)
        for place in (before.place if before else self._state.placements[pair_id], settled and settled.place):
            if place and self._state.timeline.index_of(place) is not None:
                yield self._state.assignment(place)

    def _has_table(self, pair_id: str, home: Assignment) -> bool:
        """Return whether the table of the assignment is in service for the encounter."""
        zone_ids = self._board.placed[pair_id][0].zone_ids
        return home.zone_id in zone_ids and home.table in self._board.tables.get(home.zone_id, {})

    def _has_no_hour(self, pair_id: str) -> bool:
        """Return whether the encounter had no settled place, and none before the step."""
        before, settled = self._decision.before.get(pair_id), self._state.unsettled.get(pair_id)
        return before is not None and before.place is None and (settled is None or settled.place is None)

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
            or self._has_come_home(pair_id)
            or state.timeline.index_of(state.placements[pair_id]) is None
        )

    def _has_come_home(self, pair_id: str) -> bool:
        """Return whether the step has brought a displaced encounter back to its settled place."""
        settled = self._state.unsettled.get(pair_id)
        is_home = settled is not None and settled.place == self._state.placements[pair_id]
        return is_home and pair_id in self._decision.before

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


def _slots(assignments: Iterable[Assignment]) -> SlotSet:
    """Return the slots of all these assignments."""
    return reduce(or_, (assignment.slots for assignment in assignments), 0)
