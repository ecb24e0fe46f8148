"""The nearest relaxation: the single change that would let a waiting pair meet, with the slot it would get."""

from __future__ import annotations

from services.scheduler.domain.timetable import rules
from services.scheduler.domain.timetable.board import Board, Meeting
from services.scheduler.domain.timetable.rules import Rule
from services.scheduler.domain.timetable.timeline import SlotSet, bits
from shared.contract.events import Relaxation, WaitingReason


def nearest_relaxation(board: Board, meeting: Meeting, allowed: SlotSet) -> Relaxation | None:
    """Return a slot that a single rule keeps from the pair, with the participants or the zone concerned.

    Returns `None` if every allowed slot is kept from the pair by several rules. Rules at the end of `RULES` are relaxed
    first, for the earliest slot: a table is easier to get than a participant's time.
    """
    allowed_by = [(rule, rule.allowed_slots(board, meeting)) for rule in rules.RULES if rule.allowed_slots is not None]
    for relaxed, _ in reversed(allowed_by):
        left = allowed
        for rule, slots in allowed_by:
            if rule is not relaxed:
                left &= slots
        for slot in bits(left):
            return _relaxation(board, meeting, relaxed, slot)
    return None


def _relaxation(board: Board, meeting: Meeting, rule: Rule, slot: SlotSet) -> Relaxation:
    assert rule.allowed_slots is not None  # noqa: S101 - the caller only tries rules with an encoding
    blocked_ids = tuple(
        participant_id
        for participant_id in meeting.participant_ids
        if not rule.allowed_slots(board, meeting._replace(participant_ids=(participant_id,))) & slot
    )
    is_about_tables = len(blocked_ids) > 1 and rule.reason is WaitingReason.NO_TABLE
    is_about_no_participant = is_about_tables or rule.reason is WaitingReason.NO_SLOT_IN_ORDER
    return Relaxation(
        rule=rule.name,
        slot=slot.bit_length() - 1,
        participant_ids=() if is_about_no_participant else blocked_ids,
        zone_id=meeting.zone_ids[0] if is_about_tables and meeting.zone_ids else None,
    )
