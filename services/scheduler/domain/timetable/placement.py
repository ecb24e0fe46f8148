"""Placement: the best slot and table for a single meeting, without moving any other meeting."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from services.scheduler.domain.timetable.board import Assignment, Board, Meeting
from services.scheduler.domain.timetable.rules import slots_left
from services.scheduler.domain.timetable.timeline import SlotSet, added_idle, bits
from shared.contract.events import WaitingReason


def find_assignment(
    board: Board, meeting: Meeting, allowed: SlotSet, near: Assignment | None = None
) -> tuple[Assignment | None, WaitingReason]:
    """Return the best assignment for an unplaced meeting without moving any other meeting.

    With `near`, prefer that table, then another table in the same slot. `near` may have several slots: the time of a
    missed meeting whose slots were moved. Returns `None` and the waiting reason if the rules leave no slot.
    """
    left, reason = slots_left(board, meeting, allowed)
    if not left:
        return None, reason
    if near is not None and left & near.slots:
        left &= near.slots
    return choose_table(board, meeting, best_slot(board, meeting, left), near), reason


def best_slot(board: Board, meeting: Meeting, left: SlotSet) -> SlotSet:
    """Return the slot of `left` that adds the least idle time for the participants.

    Ties go to the slot with the fewest meetings, then to the earliest.
    """
    sides = [(board.busy[person], board.possible_slots(person)) for person in meeting.participant_ids]
    least, best = 0, 0
    for day in board.days:
        that_day = [(busy & day, free & day) for busy, free in sides]
        for slots in _tied_slots(left & day, [busy for busy, _ in that_day if busy]):
            slot, added = slots & -slots, 0
            for busy, free in that_day:
                added += added_idle(busy, free, slot)
            if not best or added <= least:
                least, best = added, slots | (best if added == least else 0)
    return min(bits(best), key=lambda slot: (board.count_in_slot(slot), slot))


def _tied_slots(left: SlotSet, busy: Sequence[SlotSet]) -> Iterator[SlotSet]:
    """Yield candidate slots of a day, grouped by equal added idle time. The best slot is among them.

    `left` is free for all participants; `busy` has their taken slots. Between the participants' first and last meetings
    every slot is a candidate. Before all of these, or after, only the nearest slot is: a slot further out adds idle
    time.
    """
    if not left or not busy:
        together: Iterable[SlotSet] = [left]
    else:
        first, last = max(taken & -taken for taken in busy), min(1 << taken.bit_length() for taken in busy)
        inner, outer = min(first, last), max(first, last)
        before, among, after = left & (inner - 1), left & (outer - 1) & -inner, left & -outer
        together = [1 << before.bit_length() >> 1, after & -after, *([among] if first < last else bits(among))]
    return filter(None, together)


def misplaced_pairs(board: Board) -> list[str]:
    """List the placed pairs whose assignment breaks a rule, sorted. The board is left as it was."""
    return [pair_id for pair_id in sorted(board.placed) if not is_well_placed(board, pair_id)]


def is_well_placed(board: Board, pair_id: str) -> bool:
    """Return whether the rules allow a placed meeting its assignment. The board is left as it was."""
    meeting, assignment = board.remove(pair_id)
    is_right = is_allowed(board, meeting, assignment)
    board.place(meeting, assignment)
    return is_right


def is_allowed(board: Board, meeting: Meeting, assignment: Assignment) -> bool:
    """Return whether the rules allow an unplaced meeting this assignment: all its slots, its zone and its table."""
    slots, zone_id, table = assignment
    is_time_allowed = bool(slots) and slots_left(board, meeting, slots)[0] == slots
    return is_time_allowed and zone_id in meeting.zone_ids and board.is_table_free(zone_id, table, slots)


def choose_table(board: Board, meeting: Meeting, slot: SlotSet, near: Assignment | None = None) -> Assignment:
    """Assign a free table in a slot. A zone open to the pair must have a free table then.

    Prefer the table of `near`, then a table at which a participant sits directly before or after, then the zone's
    first free table.
    """
    zone_id = next(zone_id for zone_id in meeting.zone_ids if board.slots_with_free_table(zone_id) & slot)
    if near is not None and near.zone_id in meeting.zone_ids and board.is_table_free(near.zone_id, near.table, slot):
        return Assignment(slot, near.zone_id, near.table)
    adjacent_slots = slot << 1 | slot >> 1
    tables = [
        assignment.table
        for participant_id in meeting.participant_ids
        if board.busy[participant_id] & adjacent_slots
        for assignment in board.assignments_of[participant_id].values()
        if assignment.slots & adjacent_slots
        and assignment.zone_id == zone_id
        and board.is_table_free(zone_id, assignment.table, slot)
    ]
    return Assignment(slot, zone_id, min(tables) if tables else board.first_free_table(zone_id, slot))
