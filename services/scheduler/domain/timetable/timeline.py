"""The slots of an edition in time order, and sets of slots as bitmasks.

Bit `i` of a bitmask stands for slot `i`. A single slot is a set with a single bit.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from shared.contract.events import Interval

#: A set of slots: bit `i` is slot `i`.
SlotSet = int


class Timeline:
    """Translates intervals of time to sets of an edition's slots. The slots do not overlap."""

    def __init__(self, slots: Sequence[Interval]) -> None:
        self._starts = [slot.starts_at for slot in slots]
        self._ends = [slot.ends_at for slot in slots]
        self.all_slots: SlotSet = (1 << len(slots)) - 1

    def days(self, timezone: str) -> tuple[SlotSet, ...]:
        """Return the slots by calendar day in the edition's time zone."""
        masks: defaultdict[date, SlotSet] = defaultdict(int)
        for index, start in enumerate(self._starts):
            masks[start.astimezone(ZoneInfo(timezone)).date()] |= 1 << index
        return tuple(masks.values())

    def within(self, windows: Iterable[Interval]) -> SlotSet:
        """Return the slots that lie wholly inside a window."""
        mask = 0
        for window in windows:
            mask |= _run(bisect_left(self._starts, window.starts_at), bisect_right(self._ends, window.ends_at))
        return mask

    def overlapping(self, intervals: Iterable[Interval]) -> SlotSet:
        """Return the slots that share a moment with an interval."""
        mask = 0
        for interval in intervals:
            mask |= _run(bisect_right(self._ends, interval.starts_at), bisect_left(self._starts, interval.ends_at))
        return mask

    def before_and_after(self, interval: Interval) -> tuple[SlotSet, SlotSet]:
        """Return the slots that end before the interval starts, and the slots that start after its end."""
        ended, started = bisect_right(self._ends, interval.starts_at), bisect_left(self._starts, interval.ends_at)
        return _run(0, ended), _run(started, len(self._starts))

    def begun_by(self, now: datetime) -> SlotSet:
        """Return the slots that have begun."""
        return _run(0, bisect_right(self._starts, now))

    def not_half_over(self, now: datetime) -> SlotSet:
        """Return the slots with at least half of their time still to come."""
        halves = (start + (end - start) / 2 for start, end in zip(self._starts, self._ends, strict=True))
        return self.all_slots & ~_run(0, sum(half < now for half in halves))

    def index_of(self, interval: Interval) -> int | None:
        """Return the index of the slot with exactly these bounds, or `None`."""
        index = bisect_left(self._starts, interval.starts_at)
        known = index < len(self._starts) and self._starts[index] == interval.starts_at
        return index if known and self._ends[index] == interval.ends_at else None


def _run(first: int, end: int) -> SlotSet:
    return ((1 << end) - 1) & ~((1 << first) - 1) if first < end else 0


def bits(mask: SlotSet) -> Iterator[SlotSet]:
    """Yield every slot of the set as a set of its own, the earliest first."""
    while mask:
        lowest = mask & -mask
        yield lowest
        mask ^= lowest


def idle_count(busy: SlotSet, free: SlotSet, days: Sequence[SlotSet] = ()) -> int:
    """Count the slots a participant waits between the first and the last meeting of a day.

    A slot counts if it is free and not busy. Attended sessions, absences and nights do not count.
    """
    if len(days) > 1:
        return sum(idle_count(busy & day, free & day) for day in days if busy & day)
    return (span(busy) & free & ~busy).bit_count()


def span(busy: SlotSet) -> SlotSet:
    """Return all slots from the first to the last busy slot."""
    return (1 << busy.bit_length()) - (busy & -busy) if busy else 0


def added_idle(busy: SlotSet, free: SlotSet, slot: SlotSet) -> int:
    """Return the change of `idle_count` if a free slot is taken too. All sets lie in a single day."""
    if not busy:
        return 0
    first, after = busy & -busy, 1 << busy.bit_length()
    if slot < first:
        return (free & (first - 1) & -(slot << 1)).bit_count()
    if slot >= after:
        return (free & (slot - 1) & -after).bit_count()
    return -1
