"""The board of an edition: who and which table is taken when, as bitmasks with one bit a slot."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from shared.contract.events import Interval

#: A set of slots: bit `i` is slot `i`.
Slots = int


class Assignment(NamedTuple):
    """Where an encounter is. `slots` has one bit, or more or none if the edition's slots changed under it."""

    slots: Slots
    zone_id: str
    table: str


class Meeting(NamedTuple):
    """An encounter to be placed: who meets, and the zones it may be in, the preferred first.

    `people` are the two participants of the pair, then their guests, if any.
    """

    pair_id: str
    people: tuple[str, ...]
    zones: tuple[str, ...]

    @property
    def pair(self) -> tuple[str, ...]:
        """The two who were matched, or who have taken over from them."""
        return self.people[:2]


class Hours(NamedTuple):
    """When a participant is there to meet, and when no attended session takes the time."""

    available: Slots
    unattending: Slots


class Timeline:
    """The slots of an edition, in time order, and the way from intervals to sets of slots."""

    def __init__(self, slots: Sequence[Interval]) -> None:
        self._starts = [slot.starts_at for slot in slots]
        self._ends = [slot.ends_at for slot in slots]
        self.whole: Slots = (1 << len(slots)) - 1

    def days(self, timezone: str) -> tuple[Slots, ...]:
        """The slots of each day, by where the edition is."""
        masks: defaultdict[date, Slots] = defaultdict(int)
        for index, start in enumerate(self._starts):
            masks[start.astimezone(ZoneInfo(timezone)).date()] |= 1 << index
        return tuple(masks.values())

    def within(self, windows: Iterable[Interval]) -> Slots:
        """The slots that lie wholly in one of the windows."""
        mask = 0
        for window in windows:
            mask |= _run(bisect_left(self._starts, window.starts_at), bisect_right(self._ends, window.ends_at))
        return mask

    def overlapping(self, intervals: Iterable[Interval]) -> Slots:
        """The slots that share a moment with one of the intervals."""
        mask = 0
        for interval in intervals:
            mask |= _run(bisect_right(self._ends, interval.starts_at), bisect_left(self._starts, interval.ends_at))
        return mask

    def beside(self, interval: Interval) -> tuple[Slots, Slots]:
        """The slots that have ended when the interval starts, and those that start when it has ended."""
        ended, started = bisect_right(self._ends, interval.starts_at), bisect_left(self._starts, interval.ends_at)
        return _run(0, ended), _run(started, len(self._starts))

    def begun(self, now: datetime) -> Slots:
        """The slots that have begun."""
        return _run(0, bisect_right(self._starts, now))

    def not_half_over(self, now: datetime) -> Slots:
        """The slots of which half at least is still to come."""
        halves = (start + (end - start) / 2 for start, end in zip(self._starts, self._ends, strict=True))
        return self.whole & ~_run(0, sum(half < now for half in halves))

    def index_of(self, interval: Interval) -> int | None:
        """The slot with exactly these bounds, if there is one."""
        index = bisect_left(self._starts, interval.starts_at)
        known = index < len(self._starts) and self._starts[index] == interval.starts_at
        return index if known and self._ends[index] == interval.ends_at else None


def _run(first: int, end: int) -> Slots:
    return ((1 << end) - 1) & ~((1 << first) - 1) if first < end else 0


class Board:
    """What is taken. It changes by `put` and `lift` alone, in constant time, and both can be undone by the other.

    `follow` says which encounters have to come after which: by pair, those `earlier` and those `later` than it, without
    the pairs that have none. `beside` are the slots before and after an encounter that is in no slot of the edition.
    `days` are the slots of each day: a night is no break. `pinned` encounters are locked: nobody moves them.
    """

    def __init__(
        self, whole: Slots, tables: Mapping[str, Sequence[str]], quota: int | None, days: Sequence[Slots] = ()
    ) -> None:
        self.whole = whole
        self.quota = quota
        self.days: tuple[Slots, ...] = tuple(days) or (whole,)
        self.tables: dict[str, dict[str, Slots]] = {}
        self.hours: dict[str, Hours] = {}
        self.busy: defaultdict[str, Slots] = defaultdict(int)
        self.encounters_of: defaultdict[str, dict[str, Assignment]] = defaultdict(dict)
        self.placed: dict[str, tuple[Meeting, Assignment]] = {}
        self.pinned: set[str] = set()
        self.earlier: dict[str, tuple[str, ...]] = {}
        self.later: dict[str, tuple[str, ...]] = {}
        self.beside: dict[str, tuple[Slots, Slots]] = {}
        self._in_slot: defaultdict[Slots, set[str]] = defaultdict(set)
        #: The slots that an encounter has at its table, where they are not those of its seat.
        self._at_table: dict[str, Slots] = {}
        #: The labels of a zone by number; in each slot, the numbers of the tables taken, as bits; and the slots in
        #: which all of a zone's are: asked at every insert.
        self._numbers: dict[str, dict[str, int]] = {}
        self._labels: dict[str, tuple[str, ...]] = {}
        self._taken: defaultdict[tuple[str, Slots], int] = defaultdict(int)
        self._full: dict[str, Slots] = {}
        for zone_id, labels in tables.items():
            self.furnish(zone_id, labels, {})

    def furnish(self, zone_id: str, labels: Sequence[str], taken: Mapping[str, Slots]) -> None:
        """Have exactly these tables in a zone from now on; `taken` says when somebody sits at those that are new."""
        before = self.tables.get(zone_id, {})
        self.tables[zone_id] = {label: before[label] if label in before else taken.get(label, 0) for label in labels}
        numbers = [self._numbers.get(zone_id, {}).get(label, -1) for label in labels]
        if not numbers or numbers[0] < 0 or any(one >= other for one, other in pairwise(numbers)):
            self._number_tables(zone_id)
            return
        for label in before.keys() - self.tables[zone_id].keys():
            self._flip_table(zone_id, label, self.whole & ~before[label])
        for label in self.tables[zone_id].keys() - before.keys():
            self._flip_table(zone_id, label, self.whole & ~self.tables[zone_id][label])

    def _number_tables(self, zone_id: str) -> None:
        """Number the zone's tables in their order. One that is lost later keeps its number, as if always taken."""
        tables = self.tables[zone_id]
        self._labels[zone_id] = tuple(tables)
        self._numbers[zone_id] = {label: number for number, label in enumerate(tables)}
        self._full[zone_id] = 0 if tables else self.whole
        for slot in bits(self.whole):
            self._taken.pop((zone_id, slot), None)
        for label, slots in tables.items():
            self._flip_table(zone_id, label, slots)

    def put(self, wanted: Meeting, seat: Assignment) -> None:
        """Give the encounter its seat. The caller has asked the rules: no slot of the seat is taken.

        But where the slots were moved under encounters that had begun, two may overlap one slot that both touch: of
        whoever and whichever table is in both, the first has it, so that to lift one does not free the other's time.
        """
        self.placed[wanted.pair_id] = (wanted, seat)
        for participant_id in wanted.people:
            taken = self.busy[participant_id]
            own = seat._replace(slots=seat.slots & ~taken) if seat.slots & taken else seat
            self.busy[participant_id] = taken | own.slots
            self.encounters_of[participant_id][wanted.pair_id] = own
        for slot in bits(seat.slots):
            self._in_slot[slot].add(wanted.pair_id)
        at_table = seat.slots & ~self.tables.get(seat.zone_id, {}).get(seat.table, 0)
        if at_table != seat.slots:
            self._at_table[wanted.pair_id] = at_table
        self._turn_table(seat, at_table)

    def lift(self, pair_id: str) -> tuple[Meeting, Assignment]:
        """Take the encounter off the board; returns what `put` needs to undo it."""
        wanted, seat = self.placed.pop(pair_id)
        for participant_id in wanted.people:
            self.busy[participant_id] &= ~self.encounters_of[participant_id].pop(pair_id).slots
        for slot in bits(seat.slots):
            self._in_slot[slot].discard(pair_id)
        self._turn_table(seat, self._at_table.pop(pair_id, seat.slots))
        return wanted, seat

    def follow(self, pair_id: str, comes_after: Sequence[str]) -> None:
        """Have an encounter come after exactly these from now on."""
        for each in self.earlier.pop(pair_id, ()):
            self.later[each] = tuple(other for other in self.later[each] if other != pair_id)
            if not self.later[each]:
                del self.later[each]
        if comes_after:
            self.earlier[pair_id] = tuple(comes_after)
        for each in comes_after:
            self.later[each] = tuple(sorted((*self.later.get(each, ()), pair_id)))

    def around(self, pair_id: str) -> tuple[Slots, Slots]:
        """The slots before and after an encounter; all and all if it has no seat."""
        if pair_id not in self.placed:
            return self.whole, self.whole
        if pair_id in self.beside:
            return self.beside[pair_id]
        slot = self.placed[pair_id][1].slots
        return slot - 1, self.whole & ~(slot | slot - 1)

    def out_of_turn(self, pair_id: str, slot: Slots) -> list[str]:
        """The encounters that keep the slot from this one, because it has to come after or before them."""
        if not self.earlier:
            return []
        before = [each for each in self.earlier.get(pair_id, ()) if not self.around(each)[1] & slot]
        return before + [each for each in self.later.get(pair_id, ()) if not self.around(each)[0] & slot]

    def busy_of(self, wanted: Meeting) -> Slots:
        """The slots in which somebody of those who are to meet is in an encounter."""
        taken = 0
        for participant_id in wanted.people:
            taken |= self.busy[participant_id]
        return taken

    def free_of(self, participant_id: str) -> Slots:
        """The slots in which the participant could meet, taken ones included."""
        available, unattending = self.hours[participant_id]
        return available & unattending

    def idle(self, participant_id: str) -> int:
        """How many slots the participant sits and waits."""
        return idle(self.busy[participant_id], self.free_of(participant_id), self.days)

    def tables_free(self, zone_id: str) -> Slots:
        """The slots in which the zone has a table nobody sits at."""
        return self.whole & ~self._full.get(zone_id, self.whole)

    def is_table_free(self, zone_id: str, table: str, slots: Slots) -> bool:
        """Whether the table is in service and nobody sits at it in these slots."""
        tables = self.tables.get(zone_id, {})
        return table in tables and not tables[table] & slots

    def first_free_table(self, zone_id: str, slot: Slots) -> str:
        """The first of a zone's tables nobody sits at in this one slot; there must be one."""
        taken = self._taken[zone_id, slot]
        return self._labels[zone_id][(~taken & (taken + 1)).bit_length() - 1]

    def load(self, slot: Slots) -> int:
        """How many encounters take this one slot."""
        return len(self._in_slot[slot])

    def in_slot(self, slot: Slots) -> list[str]:
        """The pairs that meet in this one slot, sorted."""
        return sorted(self._in_slot[slot])

    def _turn_table(self, seat: Assignment, slots: Slots) -> None:
        tables = self.tables.get(seat.zone_id, {})
        if seat.table in tables:
            tables[seat.table] ^= slots
            self._flip_table(seat.zone_id, seat.table, slots)

    def _flip_table(self, zone_id: str, table: str, slots: Slots) -> None:
        numbers = self._numbers[zone_id]
        number, everyone = 1 << numbers[table], (1 << len(numbers)) - 1
        for slot in bits(slots):
            taken = self._taken[zone_id, slot] = self._taken[zone_id, slot] ^ number
            if taken == everyone:
                self._full[zone_id] |= slot
            else:
                self._full[zone_id] &= ~slot


def bits(mask: Slots) -> Iterator[Slots]:
    """Each slot of the set by itself, the earliest first."""
    while mask:
        lowest = mask & -mask
        yield lowest
        mask ^= lowest


def idle(busy: Slots, free: Slots, days: Sequence[Slots] = ()) -> int:
    """How many slots between a participant's first and last encounter of a day are neither: time to sit and wait.

    Slots that a session takes, or in which the participant is away, do not count, and no night does.
    """
    if len(days) > 1:
        return sum(idle(busy & day, free & day) for day in days if busy & day)
    return (span(busy) & free & ~busy).bit_count()


def span(busy: Slots) -> Slots:
    """The slots from the first to the last busy one."""
    return (1 << busy.bit_length()) - (busy & -busy) if busy else 0


def more_idle(busy: Slots, free: Slots, slot: Slots) -> int:
    """How much more `idle` is if a slot that is free and not busy is taken; all of one day."""
    if not busy:
        return 0
    first, after = busy & -busy, 1 << busy.bit_length()
    if slot < first:
        return (free & (first - 1) & -(slot << 1)).bit_count()
    if slot >= after:
        return (free & (slot - 1) & -after).bit_count()
    return -1
