"""Moves of a repair: as few encounters as possible are at another hour than before the step (ADR 0068).

"Fewest" is meant among the agendas that place the same encounters, with the same people. An encounter has not moved at
its hour before the step, or at its settled hour (ADR 0050). A pair that the step itself seats may have any hour. An
encounter that the step has brought home stays there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import chain

from services.scheduler.domain import timing
from services.scheduler.domain.decision import DecisionInProgress
from services.scheduler.domain.repair import settling
from services.scheduler.domain.repair.kept_hours import KeptHours
from services.scheduler.domain.timetable.board import Meeting
from services.scheduler.domain.timetable.ejection import Assignments
from services.scheduler.domain.timetable.placement import choose_table, find_assignment
from services.scheduler.domain.timetable.rules import no_table_twice, slots_left
from services.scheduler.domain.timetable.timeline import SlotSet, bits
from services.scheduler.domain.timetable.trial import Trial
from shared.contract.events import Cause

#: Encounters after which a chain is followed no further before a search.
_CHAIN = 2


def spare_moves(decision: DecisionInProgress, cause: Cause, gave_way: Collection[str] = ()) -> None:
    """Send encounters back to their hours that the step has moved without need, and move fewer encounters instead.

    First every encounter alone, if free moves make room for it; then all together, by an exact search. Newcomers that
    `gave_way` to encounters that came home move freely (ADR 0050).
    """
    if not decision.state.announced:
        return
    moves = _Moves(decision, gave_way)
    has_moved = False
    for pair_id in moves.needless():
        back = moves.returning(pair_id)
        has_moved |= bool(back)
        decision.place_all(back, cause)
    left = moves.needless()
    if len(left) > 1 or any(map(moves.may_be_spared, left)):
        fewer = moves.fewer(left)
        has_moved |= bool(fewer)
        decision.place_all(fewer, cause)
    # An encounter that goes back may leave the table of another encounter, which is at its hour already.
    while has_moved and (tables := moves.settled_table()):
        decision.place_all(tables, cause)


class _Moves:
    """The moves of a decision's present step."""

    def __init__(self, decision: DecisionInProgress, gave_way: Collection[str]) -> None:
        self._decision = decision
        self._hours = KeptHours(decision, gave_way)
        self._state = decision.state
        self._board = decision.state.board
        self._open_slots = timing.open_slots(decision.state, decision.now)

    def needless(self) -> list[str]:
        """List the encounters that the step has moved although the facts allow them their hour."""
        return [
            pair_id
            for pair_id in sorted(self._decision.before)
            if pair_id in self._state.placements
            and self._hours.is_away(pair_id)
            and self._hours.possible_home(pair_id)
            and self._hours.may_move(pair_id)
        ]

    def returning(self, pair_id: str) -> Assignments:
        """Return assignments with the encounter at its hour that cost no move, or nothing."""
        meeting, _ = self._board.placed[pair_id]
        for slot in bits(self._hours.possible_home(pair_id)):
            for giving_way in self._giving_way(meeting, slot):
                if found := self._rearranged(meeting, slot, giving_way):
                    return found
        return {}

    def may_be_spared(self, pair_id: str) -> bool:
        """Return whether the encounter may go home without a move of others: a cheap test before a search."""
        return self._may_get(pair_id, self._hours.possible_home(pair_id), _CHAIN)

    def fewer(self, away: list[str]) -> Assignments:
        """Return assignments with the fewest moves, or nothing if there are no fewer."""
        # Slow to import, and needed by few steps.
        from services.scheduler.solver.fewer_moves import Home, fewer_moves  # noqa: PLC0415

        def home_of(pair_id: str) -> Home | None:
            if not self._hours.may_move(pair_id):
                return None
            hours = self._hours
            return Home(hours.home(pair_id), hours.at_table(pair_id), is_free=hours.has_no_hour(pair_id))

        return self._with_tables(fewer_moves(self._board, home_of, away, self._open_slots))

    def settled_table(self) -> Assignments:
        """Return the assignment of an encounter at its settled hour whose settled table is free, or nothing."""
        for pair_id in sorted(settling.open_places(self._state, self._decision.now)):
            settled = settling.settled_assignment(self._state, pair_id, self._decision.now)
            meeting, assignment = self._board.placed.get(pair_id, (None, None))
            if settled is None or meeting is None or assignment is None or not self._hours.may_move(pair_id):
                continue
            if assignment.slots != settled.slots or assignment == settled:
                continue
            with Trial(self._board) as trial:
                trial.remove(pair_id)
                is_free = choose_table(self._board, meeting, settled.slots, settled) == settled
            if is_free:
                return {pair_id: settled}
        return {}

    def _may_get(self, pair_id: str, slots: SlotSet, depth: int) -> bool:
        """Return whether the encounters in the pair's way in one of the slots may leave it, or its table, at no cost.

        The answer is no only if that is impossible. A chain of encounters is followed up to a depth.
        """
        board, meeting = self._board, self._board.placed[pair_id][0]
        for slot in bits(slots):
            free = {zone_id for zone_id in board.tables if board.slots_with_free_table(zone_id) & slot}
            of_people = self._of_people(meeting, slot)
            if of_people or free.intersection(meeting.zone_ids):
                if all(self._may_leave(other, slot, depth) for other in of_people):
                    return True
            elif any(
                free.intersection(board.placed[other][0].zone_ids) or self._may_leave(other, slot, depth)
                for other in board.pairs_in_slot(slot)
            ):
                return True
        return False

    def _may_leave(self, pair_id: str, slot: SlotSet, depth: int) -> bool:
        if not self._hours.may_move(pair_id):
            return False
        is_free = self._hours.moves_freely(pair_id)
        others = (self._hours.possible(pair_id) if is_free else self._hours.possible_home(pair_id)) & ~slot
        return bool(others) and (depth == 0 or self._may_get(pair_id, others, depth - 1))

    def _of_people(self, meeting: Meeting, slot: SlotSet) -> set[str]:
        """Return the encounters that the meeting's participants have in the slot."""
        return {
            pair_id
            for participant_id in meeting.participant_ids
            for pair_id, assignment in self._board.assignments_of[participant_id].items()
            if assignment.slots & slot
        }

    def _giving_way(self, meeting: Meeting, slot: SlotSet) -> Iterator[list[str]]:
        """Yield the encounters that leave the slot to the meeting if they move; their moves are free."""
        board = self._board
        of_people = self._of_people(meeting, slot)
        if not all(map(self._hours.moves_freely, of_people)):
            return
        in_zones = (
            pair_id
            for pair_id in board.pairs_in_slot(slot)
            if board.placed[pair_id][1].zone_id in meeting.zone_ids and pair_id not in of_people
        )
        at_tables = filter(self._hours.moves_freely, in_zones)
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
            found = {meeting.pair_id: choose_table(self._board, meeting, slot, self._hours.former(meeting.pair_id))}
            trial.place(meeting, found[meeting.pair_id])
            for other in leaving:
                assignment, _ = find_assignment(self._board, other, self._open_slots, self._hours.former(other.pair_id))
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
                found[meeting.pair_id] = choose_table(self._board, meeting, slot, self._hours.former(meeting.pair_id))
                trial.place(meeting, found[meeting.pair_id])
        return found

    def _freed_table(self, trial: Trial, meeting: Meeting, slot: SlotSet) -> Assignments:
        """Send an encounter in the slot to a table that the meeting may not have; return its assignment, or nothing."""
        for pair_id in self._board.pairs_in_slot(slot):
            other, assignment = self._board.placed[pair_id]
            has_table = no_table_twice(self._board, other) & slot
            if has_table and assignment.zone_id in meeting.zone_ids and self._hours.may_move(pair_id):
                trial.remove(pair_id)
                elsewhere = choose_table(self._board, other, slot)
                trial.place(other, elsewhere)
                return {pair_id: elsewhere}
        return {}
