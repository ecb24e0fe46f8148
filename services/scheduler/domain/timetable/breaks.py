"""Breaks: when a participant waits between two encounters of a day, and for how long."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from services.scheduler.domain.timetable.board import Assignment, Hours
from services.scheduler.domain.timetable.timeline import SlotSet, span


class Breaks(NamedTuple):
    """How many breaks all participants have together, how many slots they last in all, and the longest."""

    number: int
    slots: int
    longest: int


def breaks_of(busy: SlotSet, attending: SlotSet, days: Iterable[SlotSet]) -> Iterator[int]:
    """The length of each break, in slots.

    It is a run of slots between a day's first and last encounter in which the participant neither meets nor attends a
    session. Being away is a break: an agenda that puts all encounters on one side of an absence is the better one.
    So say Bofill et al., "Constraint Solving Approaches to the Business-to-Business Meeting Scheduling Problem",
    JAIR 74 (2022), who have no sessions and one day.
    """
    for day in days:
        met = busy & day
        yield from _runs(span(met) & day & ~(busy | attending))


def breaks_in(
    seats: Mapping[tuple[str, ...], Assignment], hours: Mapping[str, Hours], all_slots: SlotSet, days: Sequence[SlotSet]
) -> Breaks:
    """The breaks of an agenda: the seat of those who meet."""
    busy: dict[str, SlotSet] = {}
    for people, seat in seats.items():
        for person in people:
            busy[person] = busy.get(person, 0) | seat.slots
    lengths = [
        length
        for person, met in busy.items()
        for length in breaks_of(met, all_slots & ~hours[person].outside_sessions, days or (all_slots,))
    ]
    return Breaks(len(lengths), sum(lengths), max(lengths, default=0))


def _runs(mask: SlotSet) -> Iterator[int]:
    while mask:
        mask >>= (mask & -mask).bit_length() - 1
        length = (~mask & (mask + 1)).bit_length() - 1
        yield length
        mask >>= length
