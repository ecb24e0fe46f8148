"""A participant's hours as ticks of the edition's slots, and ticks as the times that registration keeps."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from zoneinfo import ZoneInfo

from shared.contract.events import EditionChanged, ParticipantChanged, Slot


@dataclass(frozen=True)
class SlotTick:
    """A slot, and whether the participant can meet then; `session` names the participant's session at that time."""

    slot: Slot
    is_free: bool
    session: str


@dataclass(frozen=True)
class DayTicks:
    """The slots of a local day."""

    day: date
    ticks: tuple[SlotTick, ...]


def ticks_of(edition: EditionChanged, participant: ParticipantChanged) -> tuple[DayTicks, ...]:
    """Return the slots of an edition by local day, with the participant's hours."""
    zone = ZoneInfo(edition.timezone)
    own = [session for session in edition.sessions if session.session_id in participant.session_ids]
    ticks = [
        SlotTick(
            slot,
            is_free=not participant.available or slot.index in free_slots(edition, participant),
            session=next((s.title for s in own if s.starts_at < slot.ends_at and slot.starts_at < s.ends_at), ""),
        )
        for slot in edition.slots
    ]
    days = groupby(ticks, key=lambda tick: tick.slot.starts_at.astimezone(zone).date())
    return tuple(DayTicks(day, tuple(of_day)) for day, of_day in days)


def free_slots(edition: EditionChanged, participant: ParticipantChanged) -> set[int]:
    """Return the indexes of the slots that lie within the hours of a participant."""
    return {
        slot.index
        for slot in edition.slots
        if not participant.available
        or any(stay.starts_at <= slot.starts_at and slot.ends_at <= stay.ends_at for stay in participant.available)
    }


def hours_of(slots: Sequence[Slot], free: Collection[int]) -> list[dict[str, str]]:
    """Return the times of these slots as registration takes them; empty, which means always, if all are free."""
    if len(set(free)) >= len(slots):
        return []
    spans: list[tuple[datetime, datetime, int]] = []
    for slot in slots:
        if slot.index not in free:
            continue
        if spans and spans[-1][2] == slot.index - 1 and spans[-1][1] == slot.starts_at:
            spans[-1] = (spans[-1][0], slot.ends_at, slot.index)
        else:
            spans.append((slot.starts_at, slot.ends_at, slot.index))
    return [{"starts_at": starts.isoformat(), "ends_at": ends.isoformat()} for starts, ends, _ in spans]
