"""Tables dealt out once the slots are settled: Innova+ first to the pairs admitted to it, with few changes of table."""

from __future__ import annotations

from collections.abc import Iterable

from services.scheduler.domain.timetable.board import Assignment, Board, Meeting
from services.scheduler.domain.timetable.timeline import SlotSet, bits


def deal(board: Board, slots: Iterable[tuple[Meeting, SlotSet]]) -> None:
    """Place every meeting in its slot, at a table of an open zone. A slot must have tables for all its meetings."""
    by_slot: dict[SlotSet, list[Meeting]] = {}
    for meeting, slot in slots:
        by_slot.setdefault(slot, []).append(meeting)
    last_at: dict[str, tuple[str, str]] = {}
    for slot in bits(board.all_slots):
        if slot in by_slot:
            _deal_slot(board, slot, by_slot[slot], last_at)


def _deal_slot(board: Board, slot: SlotSet, meetings: list[Meeting], last_at: dict[str, tuple[str, str]]) -> None:
    """Deal out the tables of a slot, first the zones, then the tables.

    Pairs with more open zones choose first: they take the zone reserved for them and leave the rest to all pairs.
    `last_at` is the last (zone, table) by participant.
    """
    most_zones_first = sorted(meetings, key=lambda meeting: (-len(meeting.zone_ids), meeting.pair_id))
    open_zones = {zone_id for zone_id in board.tables if board.slots_with_free_table(zone_id) & slot}
    tables_left = {
        zone_id: sum(not taken & slot for taken in board.tables[zone_id].values()) for zone_id in sorted(open_zones)
    }
    zone_of: dict[str, str] = {}
    for meeting in most_zones_first:
        zone_id = next(zone_id for zone_id in meeting.zone_ids if tables_left.get(zone_id))
        tables_left[zone_id] -= 1
        zone_of[meeting.pair_id] = zone_id

    def key_of(meeting: Meeting) -> tuple[int, str]:
        return -_last_in_zone(meeting, zone_of[meeting.pair_id], last_at), meeting.pair_id

    for meeting in sorted(meetings, key=key_of):
        assignment = _choose_table(board, meeting, slot, zone_of[meeting.pair_id], last_at)
        board.place(meeting, assignment)
        last_at.update(dict.fromkeys(meeting.participant_ids, (assignment.zone_id, assignment.table)))


def _last_in_zone(meeting: Meeting, zone_id: str, last_at: dict[str, tuple[str, str]]) -> int:
    """Count the participants whose last meeting was in this zone."""
    return sum(last_at.get(participant_id, ("", ""))[0] == zone_id for participant_id in meeting.participant_ids)


def _choose_table(
    board: Board, meeting: Meeting, slot: SlotSet, zone_id: str, last_at: dict[str, tuple[str, str]]
) -> Assignment:
    tables = board.tables[zone_id]
    for participant_id in meeting.participant_ids:
        last_zone, table = last_at.get(participant_id, ("", ""))
        if last_zone == zone_id and board.is_table_free(zone_id, table, slot):
            return Assignment(slot, zone_id, table)
    return Assignment(slot, zone_id, next(table for table, taken in tables.items() if not taken & slot))
