"""Deal out the tables once slots are settled: Innova+ first to whom it is for, and few changes of table."""

from __future__ import annotations

from collections.abc import Iterable

from services.scheduler.domain.timetable.board import Assignment, Board, Meeting
from services.scheduler.domain.timetable.timeline import SlotSet, bits


def deal(board: Board, slots: Iterable[tuple[Meeting, SlotSet]]) -> None:
    """Put every encounter on the board, in its slot, at a table. There must be room for all in each slot."""
    by_slot: dict[SlotSet, list[Meeting]] = {}
    for wanted, slot in slots:
        by_slot.setdefault(slot, []).append(wanted)
    last_at: dict[str, tuple[str, str]] = {}
    for slot in bits(board.all_slots):
        if slot in by_slot:
            _deal_slot(board, slot, by_slot[slot], last_at)


def _deal_slot(board: Board, slot: SlotSet, wanted: list[Meeting], last_at: dict[str, tuple[str, str]]) -> None:
    """Those with the longest list of zones have the first of them to themselves, so they cannot crowd out others."""
    zoned = sorted(wanted, key=lambda each: (-len(each.zone_ids), each.pair_id))
    open_zones = {zone for zone in board.tables if board.slots_with_free_table(zone) & slot}
    rooms = {zone: sum(not taken & slot for taken in board.tables[zone].values()) for zone in sorted(open_zones)}
    zone_of: dict[str, str] = {}
    for each in zoned:
        zone = next(zone for zone in each.zone_ids if rooms.get(zone))
        rooms[zone] -= 1
        zone_of[each.pair_id] = zone
    loyal_first = sorted(wanted, key=lambda each: (-_loyalty(each, zone_of[each.pair_id], last_at), each.pair_id))
    for each in loyal_first:
        seat = _seat(board, each, slot, zone_of[each.pair_id], last_at)
        board.place(each, seat)
        last_at.update(dict.fromkeys(each.participant_ids, (seat.zone_id, seat.table)))


def _loyalty(wanted: Meeting, zone: str, last_at: dict[str, tuple[str, str]]) -> int:
    """How many of them sat in this zone last."""
    tables = [last_at[each] for each in wanted.participant_ids if last_at.get(each, ("", ""))[0] == zone]
    return len(tables)


def _seat(board: Board, wanted: Meeting, slot: SlotSet, zone: str, last_at: dict[str, tuple[str, str]]) -> Assignment:
    tables = board.tables[zone]
    for each in wanted.participant_ids:
        last_zone, table = last_at.get(each, ("", ""))
        if last_zone == zone and board.is_table_free(zone, table, slot):
            return Assignment(slot, zone, table)
    return Assignment(slot, zone, next(table for table, taken in tables.items() if not taken & slot))
