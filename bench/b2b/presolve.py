"""Conclusions before any search: impossible slots, reasons of infeasibility, and a bound per participant."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import inf

from bench.b2b.instance import B2bInstance, Infeasible

_IDLE, _BUSY = False, True


@dataclass(frozen=True)
class Calendar:
    """The slots of a participant: `free` for a meeting, and `taken` by a fixed meeting.

    `least[t]` and `most[t]` bound the number of used slots before `t`.
    """

    free: tuple[bool, ...]
    taken: tuple[bool, ...]
    least: tuple[int, ...]
    most: tuple[int, ...]

    @cached_property
    def fewest_breaks(self) -> float:
        """The fewest breaks of the participant alone; infinite if the meetings do not fit.

        A dynamic programme over the slots. A state is the number of used slots, and the use of the last slot.
        """
        states: dict[tuple[int, bool], int] = {(0, _IDLE): 0}
        for slot, free in enumerate(self.free):
            following: dict[tuple[int, bool], int] = {}
            for (used, before), count in states.items():
                if not self.taken[slot]:
                    self._relax(following, slot, (used, _IDLE), count)
                if free:
                    self._relax(following, slot, (used + 1, _BUSY), count + (used > 0 and before is _IDLE))
            states = following
        return min(states.values(), default=inf)

    def _relax(self, states: dict[tuple[int, bool], int], slot: int, state: tuple[int, bool], count: int) -> None:
        if self.least[slot + 1] <= state[0] <= self.most[slot + 1]:
            states[state] = min(count, states.get(state, count))


def calendar_of(instance: B2bInstance, participant: int) -> Calendar:
    """Return the calendar of a participant. Every meeting must have an allowed slot."""
    meetings = [instance.meetings[number] for number in instance.meetings_of[participant]]
    slots = range(instance.slots)
    free = tuple(any(slot in meeting.slots for meeting in meetings) for slot in slots)
    least, most = [0], [0]
    for slot in slots:
        done = sum(meeting.slots[-1] <= slot for meeting in meetings)
        begun = sum(meeting.slots[0] <= slot for meeting in meetings)
        least.append(max(done, len(meetings) - sum(free[slot + 1 :])))
        most.append(min(begun, most[-1] + free[slot]))
    taken = tuple(any(meeting.slots == (slot,) for meeting in meetings) for slot in slots)
    return Calendar(free, taken, tuple(least), tuple(most))


def narrowed(instance: B2bInstance) -> B2bInstance:
    """Return the instance without the slots excluded by precedences and by fixed meetings.

    Raises:
        Infeasible: the slots left do not suffice for a meeting, a participant, or all meetings.
    """
    _refuse_overfull(instance)  # first, for it gives the plainest reason
    slots = [list(meeting.slots) for meeting in instance.meetings]
    while _shrink(instance, slots):
        pass
    fewer = instance.within(slots)
    _refuse_overfull(fewer)
    return fewer


def refuse_unfair(instance: B2bInstance, fairness: int) -> None:
    """Refuse an instance whose fairness is impossible.

    Raises:
        Infeasible: in every schedule, the breaks of two participants differ by more than `fairness`.
    """
    fewest = [calendar_of(instance, participant).fewest_breaks for participant in range(instance.participants)]
    most = [max(len(numbers) - 1, 0) for numbers in instance.meetings_of]
    if fewest and max(fewest) > min(most) + fairness:
        worst, least = fewest.index(max(fewest)), most.index(min(most))
        raise Infeasible(
            f"fairness {fairness}: participant {worst + 1} has at least {max(fewest)} breaks, "
            f"participant {least + 1} at most {min(most)}"
        )


def _shrink(instance: B2bInstance, slots: list[list[int]]) -> bool:
    """Drop slots without support. Return True if any was dropped."""
    before = sum(map(len, slots))
    for number, left in enumerate(slots):
        if not left:
            raise Infeasible(f"meeting {number + 1} has no slot left")
    for earlier, later in instance.precedences:
        slots[earlier] = [slot for slot in slots[earlier] if slot < slots[later][-1]]
        slots[later] = [slot for slot in slots[later] if slots[earlier] and slot > slots[earlier][0]]
        if not (slots[earlier] and slots[later]):
            raise Infeasible(f"meeting {earlier + 1} cannot come before meeting {later + 1}")
    for numbers in instance.meetings_of:
        for fixed in [number for number in numbers if len(slots[number]) == 1]:
            for number in numbers:
                if number != fixed:
                    slots[number] = [slot for slot in slots[number] if slot != slots[fixed][0]]
                    if not slots[number]:
                        raise Infeasible(f"meetings {fixed + 1} and {number + 1} of a participant need the same slot")
    return sum(map(len, slots)) < before


def _refuse_overfull(instance: B2bInstance) -> None:
    for participant, numbers in enumerate(instance.meetings_of):
        lacking = _unmatched(instance, numbers, 1)
        if lacking or calendar_of(instance, participant).fewest_breaks == inf:
            available = len({slot for number in numbers for slot in instance.meetings[number].slots})
            raise Infeasible(
                f"more meetings than available slots: participant {participant + 1} has {len(numbers)} meetings, and "
                f"{available} slots that any of them can take"
                + (f"; {lacking} of them find none" if available >= len(numbers) else "")
            )
    every = tuple(range(len(instance.meetings)))
    if lacking := _unmatched(instance, every, instance.tables):
        raise Infeasible(
            f"more meetings than tables: {len(every)} meetings, {instance.tables} tables in each of {instance.slots} "
            f"slots; {lacking} find none"
        )


def _unmatched(instance: B2bInstance, numbers: tuple[int, ...], places: int) -> int:
    """Count the meetings without a slot in a maximum matching of meetings to slots (augmenting paths)."""
    held: list[list[int]] = [[] for _ in range(instance.slots)]

    def match(number: int, seen: set[int]) -> bool:
        for slot in instance.meetings[number].slots:
            if slot not in seen:
                seen.add(slot)
                if len(held[slot]) < places:
                    held[slot].append(number)
                    return True
                for at, holder in enumerate(held[slot]):
                    if match(holder, seen):
                        held[slot][at] = number
                        return True
        return False

    return sum(not match(number, set()) for number in numbers)
