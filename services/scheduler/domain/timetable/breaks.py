"""Breaks of agendas: times in which a participant waits between two meetings of a day."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from services.scheduler.domain.timetable.board import Assignment, ParticipantHours
from services.scheduler.domain.timetable.timeline import SlotSet, span


class Breaks(NamedTuple):
    """The breaks of all participants together: their number, their total length in slots, and the longest of them."""

    number: int
    slots: int
    longest: int


def breaks_of(busy: SlotSet, attending: SlotSet, days: Iterable[SlotSet]) -> Iterator[int]:
    """Yield the lengths of a participant's breaks, in slots.

    A break is a run of slots between a day's first and last meeting without a meeting or an attended session. An
    absence is a break too: an agenda with all meetings on the same side of the absence is better. The definition is
    that of Bofill et al., "Constraint Solving Approaches to the Business-to-Business Meeting Scheduling Problem",
    JAIR 74 (2022), which knows neither sessions nor several days.
    """
    for day in days:
        met = busy & day
        yield from _runs(span(met) & day & ~(busy | attending))


def breaks_in(
    assignments: Mapping[tuple[str, ...], Assignment],
    hours: Mapping[str, ParticipantHours],
    all_slots: SlotSet,
    days: Sequence[SlotSet],
) -> Breaks:
    """Return the breaks of an agenda. `assignments` is keyed by the participants of a meeting."""
    busy: dict[str, SlotSet] = {}
    for participant_ids, assignment in assignments.items():
        for participant_id in participant_ids:
            busy[participant_id] = busy.get(participant_id, 0) | assignment.slots
    lengths = [
        length
        for participant_id, met in busy.items()
        for length in breaks_of(met, all_slots & ~hours[participant_id].outside_sessions, days or (all_slots,))
    ]
    return Breaks(len(lengths), sum(lengths), max(lengths, default=0))


def _runs(mask: SlotSet) -> Iterator[int]:
    while mask:
        mask >>= (mask & -mask).bit_length() - 1
        length = (~mask & (mask + 1)).bit_length() - 1
        yield length
        mask >>= length
