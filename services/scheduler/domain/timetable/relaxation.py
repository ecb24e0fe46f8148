"""The nearest relaxation: for a pair that waits, the one thing that would have to be different, and when."""

from __future__ import annotations

from services.scheduler.domain.timetable import rules
from services.scheduler.domain.timetable.board import Board, Meeting
from services.scheduler.domain.timetable.rules import Rule
from services.scheduler.domain.timetable.timeline import SlotSet, bits
from shared.contract.events import Relaxation, WaitingReason


def nearest_relaxation(board: Board, wanted: Meeting, allowed: SlotSet) -> Relaxation | None:
    """A slot that a single rule keeps from the pair, and whom or which zone it is about; `None` if each slot has more.

    A table is easier to come by than a person's time: rules blamed last are relaxed first, in the earliest slot.
    """
    left = [(rule, rule.allowed_slots(board, wanted)) for rule in rules.RULES if rule.allowed_slots is not None]
    for rule, _ in reversed(left):
        others = allowed
        for other, slots in left:
            if other is not rule:
                others &= slots
        for slot in bits(others):
            return _relaxation(board, wanted, rule, slot)
    return None


def _relaxation(board: Board, wanted: Meeting, rule: Rule, slot: SlotSet) -> Relaxation:
    assert rule.allowed_slots is not None  # noqa: S101 - it has just been asked
    keeping = tuple(
        each
        for each in wanted.participant_ids
        if not rule.allowed_slots(board, wanted._replace(participant_ids=(each,))) & slot
    )
    is_about_tables = len(keeping) > 1 and rule.reason is WaitingReason.NO_TABLE
    is_about_others = is_about_tables or rule.reason is WaitingReason.NO_SLOT_IN_ORDER
    return Relaxation(
        rule=rule.name,
        slot=slot.bit_length() - 1,
        participant_ids=() if is_about_others else keeping,
        zone_id=wanted.zone_ids[0] if is_about_tables and wanted.zone_ids else None,
    )
