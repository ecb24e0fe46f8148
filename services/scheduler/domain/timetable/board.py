"""The board of an edition: participants and tables, with the slots in which they are taken.

All times are sets of slots (`timeline.SlotSet`): bitmasks in which bit `i` stands for slot `i`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from services.scheduler.domain.timetable.timeline import SlotSet, bits, idle_count


class Assignment(NamedTuple):
    """The slot and the table of a meeting.

    `slots` has a single bit. It has several bits or none if the edition's slots were changed after the assignment.
    """

    slots: SlotSet
    zone_id: str
    table: str


class Meeting(NamedTuple):
    """A pair to be placed on the board, with its participants and the zones open to them.

    `participant_ids` are the two participants of the pair, then their guests. `zone_ids` starts with the preferred
    zone.
    """

    pair_id: str
    participant_ids: tuple[str, ...]
    zone_ids: tuple[str, ...]

    @property
    def pair(self) -> tuple[str, ...]:
        """The two matched participants, or their substitutes, without guests."""
        return self.participant_ids[:2]


class ParticipantHours(NamedTuple):
    """The slots in which a participant is present, and the slots outside the sessions that the participant attends."""

    available: SlotSet
    outside_sessions: SlotSet


class Board:
    """Participants, tables and meetings by slot: the record of taken time.

    `place` and `remove` are the only changes of taken time. They take constant time, and `remove` undoes `place`.

    - `busy`: by participant, the taken slots.
    - `assignments_of`: by participant and pair, the assignments of placed meetings.
    - `placed`: by pair, the meeting and its assignment.
    - `tables`: by zone and label, the taken slots of the tables in service.
    - `hours`: by participant, the slots in which they can meet at all.
    - `days`: the slots of each day. A night is no break.
    - `pinned`: pairs whose meetings no search may move, such as locked meetings.
    - `predecessors` and `successors`: by pair, the pairs whose meetings must be over before, or begin after. Pairs
      without any have no entry.
    - `before_and_after`: for meetings that lie in no slot of the edition, the slots before and the slots after.
    """

    def __init__(
        self, all_slots: SlotSet, tables: Mapping[str, Sequence[str]], quota: int | None, days: Sequence[SlotSet] = ()
    ) -> None:
        self.all_slots = all_slots
        self.quota = quota
        self.days: tuple[SlotSet, ...] = tuple(days) or (all_slots,)
        self.hours: dict[str, ParticipantHours] = {}
        self.busy: defaultdict[str, SlotSet] = defaultdict(int)
        self.assignments_of: defaultdict[str, dict[str, Assignment]] = defaultdict(dict)
        self.placed: dict[str, tuple[Meeting, Assignment]] = {}
        self.pinned: set[str] = set()
        self.predecessors: dict[str, tuple[str, ...]] = {}
        self.successors: dict[str, tuple[str, ...]] = {}
        self.before_and_after: dict[str, tuple[SlotSet, SlotSet]] = {}
        self.tables: dict[str, dict[str, SlotSet]] = {}
        self._in_slot: defaultdict[SlotSet, set[str]] = defaultdict(set)
        #: The slots that a meeting holds at its table, where they differ from the slots of its assignment.
        self._at_table: dict[str, SlotSet] = {}
        #: An index of `tables` for every insert: by zone, the number of each label and the label of each number; by
        #: zone and slot, a bitmask of the numbers of taken tables; by zone, the slots in which all tables are taken.
        self._numbers: dict[str, dict[str, int]] = {}
        self._labels: dict[str, tuple[str, ...]] = {}
        self._taken: defaultdict[tuple[str, SlotSet], int] = defaultdict(int)
        self._full: dict[str, SlotSet] = {}
        for zone_id, labels in tables.items():
            self.set_tables(zone_id, labels, {})

    def set_tables(self, zone_id: str, labels: Sequence[str], taken: Mapping[str, SlotSet]) -> None:
        """Replace the tables of a zone. `taken` gives the taken slots of tables that are new on the board."""
        before = self.tables.get(zone_id, {})
        self.tables[zone_id] = {label: before[label] if label in before else taken.get(label, 0) for label in labels}
        numbers = [self._numbers.get(zone_id, {}).get(label, -1) for label in labels]
        if not numbers or numbers[0] < 0 or any(number >= following for number, following in pairwise(numbers)):
            self._number_tables(zone_id)
            return
        for label in before.keys() - self.tables[zone_id].keys():
            self._flip_table(zone_id, label, self.all_slots & ~before[label])
        for label in self.tables[zone_id].keys() - before.keys():
            self._flip_table(zone_id, label, self.all_slots & ~self.tables[zone_id][label])

    def _number_tables(self, zone_id: str) -> None:
        """Number the zone's tables in their order. A table lost later keeps its number and counts as taken."""
        tables = self.tables[zone_id]
        self._labels[zone_id] = tuple(tables)
        self._numbers[zone_id] = {label: number for number, label in enumerate(tables)}
        self._full[zone_id] = 0 if tables else self.all_slots
        for slot in bits(self.all_slots):
            self._taken.pop((zone_id, slot), None)
        for label, slots in tables.items():
            self._flip_table(zone_id, label, slots)

    def place(self, meeting: Meeting, assignment: Assignment) -> None:
        """Put a meeting on the board. The caller has checked the rules: no slot of the assignment is taken.

        Exception: after the slots were moved in time, two meetings may touch the same slot. The meeting placed first
        then holds the shared slot for a common participant or table, so that removing either frees only its own time.
        """
        self.placed[meeting.pair_id] = (meeting, assignment)
        for participant_id in meeting.participant_ids:
            taken = self.busy[participant_id]
            own = assignment._replace(slots=assignment.slots & ~taken) if assignment.slots & taken else assignment
            self.busy[participant_id] = taken | own.slots
            self.assignments_of[participant_id][meeting.pair_id] = own
        for slot in bits(assignment.slots):
            self._in_slot[slot].add(meeting.pair_id)
        at_table = assignment.slots & ~self.tables.get(assignment.zone_id, {}).get(assignment.table, 0)
        if at_table != assignment.slots:
            self._at_table[meeting.pair_id] = at_table
        self._turn_table(assignment, at_table)

    def remove(self, pair_id: str) -> tuple[Meeting, Assignment]:
        """Take a meeting off the board. Returns the arguments with which `place` puts it back."""
        meeting, assignment = self.placed.pop(pair_id)
        for participant_id in meeting.participant_ids:
            self.busy[participant_id] &= ~self.assignments_of[participant_id].pop(pair_id).slots
        for slot in bits(assignment.slots):
            self._in_slot[slot].discard(pair_id)
        self._turn_table(assignment, self._at_table.pop(pair_id, assignment.slots))
        return meeting, assignment

    def set_predecessors(self, pair_id: str, predecessor_ids: Sequence[str]) -> None:
        """Replace the pairs whose meetings must be over before this pair's meeting begins."""
        for predecessor_id in self.predecessors.pop(pair_id, ()):
            left = tuple(successor_id for successor_id in self.successors[predecessor_id] if successor_id != pair_id)
            if left:
                self.successors[predecessor_id] = left
            else:
                del self.successors[predecessor_id]
        if predecessor_ids:
            self.predecessors[pair_id] = tuple(predecessor_ids)
        for predecessor_id in predecessor_ids:
            self.successors[predecessor_id] = tuple(sorted((*self.successors.get(predecessor_id, ()), pair_id)))

    def slots_before_and_after(self, pair_id: str) -> tuple[SlotSet, SlotSet]:
        """Return the slots before and the slots after a meeting. For an unplaced meeting both are all slots."""
        if pair_id not in self.placed:
            return self.all_slots, self.all_slots
        if pair_id in self.before_and_after:
            return self.before_and_after[pair_id]
        slot = self.placed[pair_id][1].slots
        return slot - 1, self.all_slots & ~(slot | slot - 1)

    def pairs_out_of_order(self, pair_id: str, slot: SlotSet) -> list[str]:
        """List the predecessors that are not over before the slot, and the successors that begin too early for it."""
        if not self.predecessors:
            return []
        too_late = [
            predecessor_id
            for predecessor_id in self.predecessors.get(pair_id, ())
            if not self.slots_before_and_after(predecessor_id)[1] & slot
        ]
        return too_late + [
            successor_id
            for successor_id in self.successors.get(pair_id, ())
            if not self.slots_before_and_after(successor_id)[0] & slot
        ]

    def busy_slots(self, meeting: Meeting) -> SlotSet:
        """Return the slots in which a participant of the meeting has a placed meeting."""
        taken = 0
        for participant_id in meeting.participant_ids:
            taken |= self.busy[participant_id]
        return taken

    def possible_slots(self, participant_id: str) -> SlotSet:
        """Return the slots in which the participant is present and attends no session, taken slots included."""
        available, outside_sessions = self.hours[participant_id]
        return available & outside_sessions

    def idle_count(self, participant_id: str) -> int:
        """Count the slots the participant waits between meetings (see `timeline.idle_count`)."""
        return idle_count(self.busy[participant_id], self.possible_slots(participant_id), self.days)

    def slots_with_free_table(self, zone_id: str) -> SlotSet:
        """Return the slots in which the zone has a free table."""
        return self.all_slots & ~self._full.get(zone_id, self.all_slots)

    def is_table_free(self, zone_id: str, table: str, slots: SlotSet) -> bool:
        """Return whether the table is in service, and free in all these slots."""
        tables = self.tables.get(zone_id, {})
        return table in tables and not tables[table] & slots

    def first_free_table(self, zone_id: str, slot: SlotSet) -> str:
        """Return the first free table of a zone in a single slot. The slot must have a free table."""
        taken = self._taken[zone_id, slot]
        return self._labels[zone_id][(~taken & (taken + 1)).bit_length() - 1]

    def count_in_slot(self, slot: SlotSet) -> int:
        """Count the meetings in a single slot."""
        return len(self._in_slot[slot])

    def pairs_in_slot(self, slot: SlotSet) -> list[str]:
        """List the pairs that meet in a single slot, sorted."""
        return sorted(self._in_slot[slot])

    def _turn_table(self, assignment: Assignment, slots: SlotSet) -> None:
        tables = self.tables.get(assignment.zone_id, {})
        if assignment.table in tables:
            tables[assignment.table] ^= slots
            self._flip_table(assignment.zone_id, assignment.table, slots)

    def _flip_table(self, zone_id: str, table: str, slots: SlotSet) -> None:
        numbers = self._numbers[zone_id]
        number, all_tables = 1 << numbers[table], (1 << len(numbers)) - 1
        for slot in bits(slots):
            taken = self._taken[zone_id, slot] = self._taken[zone_id, slot] ^ number
            if taken == all_tables:
                self._full[zone_id] |= slot
            else:
                self._full[zone_id] &= ~slot
