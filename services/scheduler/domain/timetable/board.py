"""The board of an edition: who and which table is taken when, as bitmasks with one bit a slot."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from services.scheduler.domain.timetable.timeline import SlotSet, bits, idle_count


class Assignment(NamedTuple):
    """Where an encounter is. `slots` has one bit, or more or none if the edition's slots changed under it."""

    slots: SlotSet
    zone_id: str
    table: str


class Meeting(NamedTuple):
    """An encounter to be placed: who meets, and the zones it may be in, the preferred first.

    `people` are the two participants of the pair, then their guests, if any.
    """

    pair_id: str
    participant_ids: tuple[str, ...]
    zone_ids: tuple[str, ...]

    @property
    def pair(self) -> tuple[str, ...]:
        """The two who were matched, or who have taken over from them."""
        return self.participant_ids[:2]


class Hours(NamedTuple):
    """When a participant is there to meet, and when no attended session takes the time."""

    available: SlotSet
    outside_sessions: SlotSet


class Board:
    """What is taken. It changes by `put` and `lift` alone, in constant time, and both can be undone by the other.

    `follow` says which encounters have to come after which: by pair, those `earlier` and those `later` than it, without
    the pairs that have none. `before_and_after` are the slots before and after an encounter that is in no slot of the edition.
    `days` are the slots of each day: a night is no break. `pinned` encounters are locked: nobody moves them.
    """

    def __init__(
        self, all_slots: SlotSet, tables: Mapping[str, Sequence[str]], quota: int | None, days: Sequence[SlotSet] = ()
    ) -> None:
        self.all_slots = all_slots
        self.quota = quota
        self.days: tuple[SlotSet, ...] = tuple(days) or (all_slots,)
        self.tables: dict[str, dict[str, SlotSet]] = {}
        self.hours: dict[str, Hours] = {}
        self.busy: defaultdict[str, SlotSet] = defaultdict(int)
        self.encounters_of: defaultdict[str, dict[str, Assignment]] = defaultdict(dict)
        self.placed: dict[str, tuple[Meeting, Assignment]] = {}
        self.pinned: set[str] = set()
        self.predecessors: dict[str, tuple[str, ...]] = {}
        self.successors: dict[str, tuple[str, ...]] = {}
        self.before_and_after: dict[str, tuple[SlotSet, SlotSet]] = {}
        self._in_slot: defaultdict[SlotSet, set[str]] = defaultdict(set)
        #: The slots that an encounter has at its table, where they are not those of its seat.
        self._at_table: dict[str, SlotSet] = {}
        #: The labels of a zone by number; in each slot, the numbers of the tables taken, as bits; and the slots in
        #: which all of a zone's are: asked at every insert.
        self._numbers: dict[str, dict[str, int]] = {}
        self._labels: dict[str, tuple[str, ...]] = {}
        self._taken: defaultdict[tuple[str, SlotSet], int] = defaultdict(int)
        self._full: dict[str, SlotSet] = {}
        for zone_id, labels in tables.items():
            self.set_tables(zone_id, labels, {})

    def set_tables(self, zone_id: str, labels: Sequence[str], taken: Mapping[str, SlotSet]) -> None:
        """Have exactly these tables in a zone from now on; `taken` says when somebody sits at those that are new."""
        before = self.tables.get(zone_id, {})
        self.tables[zone_id] = {label: before[label] if label in before else taken.get(label, 0) for label in labels}
        numbers = [self._numbers.get(zone_id, {}).get(label, -1) for label in labels]
        if not numbers or numbers[0] < 0 or any(one >= other for one, other in pairwise(numbers)):
            self._number_tables(zone_id)
            return
        for label in before.keys() - self.tables[zone_id].keys():
            self._flip_table(zone_id, label, self.all_slots & ~before[label])
        for label in self.tables[zone_id].keys() - before.keys():
            self._flip_table(zone_id, label, self.all_slots & ~self.tables[zone_id][label])

    def _number_tables(self, zone_id: str) -> None:
        """Number the zone's tables in their order. One that is lost later keeps its number, as if always taken."""
        tables = self.tables[zone_id]
        self._labels[zone_id] = tuple(tables)
        self._numbers[zone_id] = {label: number for number, label in enumerate(tables)}
        self._full[zone_id] = 0 if tables else self.all_slots
        for slot in bits(self.all_slots):
            self._taken.pop((zone_id, slot), None)
        for label, slots in tables.items():
            self._flip_table(zone_id, label, slots)

    def place(self, wanted: Meeting, seat: Assignment) -> None:
        """Give the encounter its seat. The caller has asked the rules: no slot of the seat is taken.

        But where the slots were moved under encounters that had begun, two may overlap one slot that both touch: of
        whoever and whichever table is in both, the first has it, so that to lift one does not free the other's time.
        """
        self.placed[wanted.pair_id] = (wanted, seat)
        for participant_id in wanted.participant_ids:
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

    def remove(self, pair_id: str) -> tuple[Meeting, Assignment]:
        """Take the encounter off the board; returns what `put` needs to undo it."""
        wanted, seat = self.placed.pop(pair_id)
        for participant_id in wanted.participant_ids:
            self.busy[participant_id] &= ~self.encounters_of[participant_id].pop(pair_id).slots
        for slot in bits(seat.slots):
            self._in_slot[slot].discard(pair_id)
        self._turn_table(seat, self._at_table.pop(pair_id, seat.slots))
        return wanted, seat

    def set_predecessors(self, pair_id: str, comes_after: Sequence[str]) -> None:
        """Have an encounter come after exactly these from now on."""
        for each in self.predecessors.pop(pair_id, ()):
            self.successors[each] = tuple(other for other in self.successors[each] if other != pair_id)
            if not self.successors[each]:
                del self.successors[each]
        if comes_after:
            self.predecessors[pair_id] = tuple(comes_after)
        for each in comes_after:
            self.successors[each] = tuple(sorted((*self.successors.get(each, ()), pair_id)))

    def slots_before_and_after(self, pair_id: str) -> tuple[SlotSet, SlotSet]:
        """The slots before and after an encounter; all and all if it has no seat."""
        if pair_id not in self.placed:
            return self.all_slots, self.all_slots
        if pair_id in self.before_and_after:
            return self.before_and_after[pair_id]
        slot = self.placed[pair_id][1].slots
        return slot - 1, self.all_slots & ~(slot | slot - 1)

    def pairs_out_of_order(self, pair_id: str, slot: SlotSet) -> list[str]:
        """The encounters that keep the slot from this one, because it has to come after or before them."""
        if not self.predecessors:
            return []
        before = [
            each for each in self.predecessors.get(pair_id, ()) if not self.slots_before_and_after(each)[1] & slot
        ]
        return before + [
            each for each in self.successors.get(pair_id, ()) if not self.slots_before_and_after(each)[0] & slot
        ]

    def busy_slots(self, wanted: Meeting) -> SlotSet:
        """The slots in which somebody of those who are to meet is in an encounter."""
        taken = 0
        for participant_id in wanted.participant_ids:
            taken |= self.busy[participant_id]
        return taken

    def free_slots(self, participant_id: str) -> SlotSet:
        """The slots in which the participant could meet, taken ones included."""
        available, unattending = self.hours[participant_id]
        return available & unattending

    def idle_count(self, participant_id: str) -> int:
        """How many slots the participant sits and waits."""
        return idle_count(self.busy[participant_id], self.free_slots(participant_id), self.days)

    def slots_with_free_table(self, zone_id: str) -> SlotSet:
        """The slots in which the zone has a table nobody sits at."""
        return self.all_slots & ~self._full.get(zone_id, self.all_slots)

    def is_table_free(self, zone_id: str, table: str, slots: SlotSet) -> bool:
        """Whether the table is in service and nobody sits at it in these slots."""
        tables = self.tables.get(zone_id, {})
        return table in tables and not tables[table] & slots

    def first_free_table(self, zone_id: str, slot: SlotSet) -> str:
        """The first of a zone's tables nobody sits at in this one slot; there must be one."""
        taken = self._taken[zone_id, slot]
        return self._labels[zone_id][(~taken & (taken + 1)).bit_length() - 1]

    def count_in_slot(self, slot: SlotSet) -> int:
        """How many encounters take this one slot."""
        return len(self._in_slot[slot])

    def pairs_in_slot(self, slot: SlotSet) -> list[str]:
        """The pairs that meet in this one slot, sorted."""
        return sorted(self._in_slot[slot])

    def _turn_table(self, seat: Assignment, slots: SlotSet) -> None:
        tables = self.tables.get(seat.zone_id, {})
        if seat.table in tables:
            tables[seat.table] ^= slots
            self._flip_table(seat.zone_id, seat.table, slots)

    def _flip_table(self, zone_id: str, table: str, slots: SlotSet) -> None:
        numbers = self._numbers[zone_id]
        number, everyone = 1 << numbers[table], (1 << len(numbers)) - 1
        for slot in bits(slots):
            taken = self._taken[zone_id, slot] = self._taken[zone_id, slot] ^ number
            if taken == everyone:
                self._full[zone_id] |= slot
            else:
                self._full[zone_id] &= ~slot
