"""An instance: meetings between two participants, each with the slots it may take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

#: A slot for each meeting, in the order of the instance.
Schedule = tuple[int, ...]


class Infeasible(Exception):
    """No schedule obeys the rules; the message says why."""


@dataclass(frozen=True)
class B2bMeeting:
    """Two participants, and the slots that half day, availability and fixing leave them; ascending."""

    one: int
    other: int
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
        """Of each participant, the meetings."""
        found: list[list[int]] = [[] for _ in range(self.participants)]
        for number, meeting in enumerate(self.meetings):
            found[meeting.one].append(number)
            found[meeting.other].append(number)
        return tuple(tuple(numbers) for numbers in found)

    def within(self, slots: Sequence[Sequence[int]]) -> B2bInstance:
        """The same instance with other slots for each meeting."""
        narrowed = (replace(each, slots=tuple(left)) for each, left in zip(self.meetings, slots, strict=True))
        return replace(self, meetings=tuple(narrowed))


def breaks(instance: B2bInstance, schedule: Schedule) -> list[int]:
    """Of each participant, the groups of idle slots between two consecutive meetings."""
    return [
        sum(later > earlier + 1 for earlier, later in pairwise(theirs))
        for theirs in (sorted({schedule[number] for number in numbers}) for numbers in instance.meetings_of)
    ]


def slot_not_allowed(instance: B2bInstance, schedule: Schedule) -> list[int]:
    """Meetings outside their half day, at a forbidden slot or away from where they are fixed."""
    return [number for number, meeting in enumerate(instance.meetings) if schedule[number] not in meeting.slots]


def double_booked(instance: B2bInstance, schedule: Schedule) -> list[int]:
    """Participants with two meetings in a slot."""
    return [
        participant
        for participant, numbers in enumerate(instance.meetings_of)
        if len({schedule[number] for number in numbers}) < len(numbers)
    ]


def short_of_tables(instance: B2bInstance, schedule: Schedule) -> list[int]:
    """Slots with more meetings than tables."""
    return sorted(slot for slot, count in Counter(schedule).items() if count > instance.tables)


def out_of_order(instance: B2bInstance, schedule: Schedule) -> list[int]:
    """Meetings that are not strictly after all those that precede them."""
    return sorted({later for earlier, later in instance.precedences if schedule[earlier] >= schedule[later]})


def unfair(instance: B2bInstance, schedule: Schedule, fairness: int) -> list[int]:
    """Participants with more than `fairness` breaks above the one with fewest."""
    counts = breaks(instance, schedule)
    return [participant for participant, count in enumerate(counts) if count > min(counts) + fairness]


def violations(instance: B2bInstance, schedule: Schedule, fairness: int) -> dict[str, list[int]]:
    """What breaks which rule: independent of every encoding; empty if the schedule obeys them all."""
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
