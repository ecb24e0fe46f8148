"""Instances of the B2B problem: meetings of two participants, with their allowed slots."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

#: A slot per meeting, in the order of the instance.
Schedule = tuple[int, ...]


class Infeasible(Exception):
    """No schedule obeys the rules. The message holds the reason."""


@dataclass(frozen=True)
class B2bMeeting:
    """Two participants, and their slots left by half day, availability and fixing, ascending."""

    first: int
    second: int
    slots: tuple[int, ...]


@dataclass(frozen=True)
class B2bInstance:
    """Participants, slots and meetings are numbered from 0. A precedence is (earlier meeting, later meeting)."""

    participants: int
    slots: int
    tables: int
    meetings: tuple[B2bMeeting, ...]
    precedences: tuple[tuple[int, int], ...] = ()

    @cached_property
    def meetings_of(self) -> tuple[tuple[int, ...], ...]:
        """The numbers of the meetings, by participant."""
        found: list[list[int]] = [[] for _ in range(self.participants)]
        for number, meeting in enumerate(self.meetings):
            found[meeting.first].append(number)
            found[meeting.second].append(number)
        return tuple(tuple(numbers) for numbers in found)

    def within(self, slots: Sequence[Sequence[int]]) -> B2bInstance:
        """Return the instance with other slots for its meetings."""
        narrowed = (replace(meeting, slots=tuple(left)) for meeting, left in zip(self.meetings, slots, strict=True))
        return replace(self, meetings=tuple(narrowed))


def breaks(instance: B2bInstance, schedule: Schedule) -> list[int]:
    """Return the number of breaks by participant: gaps of idle slots between consecutive meetings."""
    return [
        sum(later > earlier + 1 for earlier, later in pairwise(used))
        for used in (sorted({schedule[number] for number in numbers}) for numbers in instance.meetings_of)
    ]


def slot_not_allowed(instance: B2bInstance, schedule: Schedule) -> list[int]:
    """Return the meetings outside their half day, in a forbidden slot, or not in their fixed slot."""
    return [number for number, meeting in enumerate(instance.meetings) if schedule[number] not in meeting.slots]


def double_booked(instance: B2bInstance, schedule: Schedule) -> list[int]:
    """Return the participants with two meetings in a slot."""
    return [
        participant
        for participant, numbers in enumerate(instance.meetings_of)
        if len({schedule[number] for number in numbers}) < len(numbers)
    ]


def short_of_tables(instance: B2bInstance, schedule: Schedule) -> list[int]:
    """Return the slots with more meetings than tables."""
    return sorted(slot for slot, count in Counter(schedule).items() if count > instance.tables)


def out_of_order(instance: B2bInstance, schedule: Schedule) -> list[int]:
    """Return the meetings that are not strictly after all their predecessors."""
    return sorted({later for earlier, later in instance.precedences if schedule[earlier] >= schedule[later]})


def unfair(instance: B2bInstance, schedule: Schedule, fairness: int) -> list[int]:
    """Return the participants with more than `fairness` breaks above the fewest of any participant."""
    counts = breaks(instance, schedule)
    return [participant for participant, count in enumerate(counts) if count > min(counts) + fairness]


def violations(instance: B2bInstance, schedule: Schedule, fairness: int) -> dict[str, list[int]]:
    """Return the culprits by violated rule, computed without any encoding. Empty for a valid schedule."""
    if len(schedule) != len(instance.meetings):
        return {"a slot for each meeting": [len(schedule)]}
    found = {
        "slot not allowed": slot_not_allowed(instance, schedule),
        "double booked": double_booked(instance, schedule),
        "short of tables": short_of_tables(instance, schedule),
        "out of order": out_of_order(instance, schedule),
        "unfair": unfair(instance, schedule, fairness),
    }
    return {rule: culprits for rule, culprits in found.items() if culprits}
