"""What can be said before any search: slots that cannot be, what is infeasible and why, and a bound a participant."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import inf

from bench.b2b.instance import B2bInstance, Infeasible

_IDLE, _BUSY = False, True


@dataclass(frozen=True)
class Calendar:
    """A participant's slots: whether a meeting may and must take each, and how many meetings there are up to it.

    `least[t]` and `most[t]` are about the slots before `t`: what must be done by then, what can have begun.
    """

    free: tuple[bool, ...]
    taken: tuple[bool, ...]
    least: tuple[int, ...]
    most: tuple[int, ...]

    @cached_property
    def fewest_breaks(self) -> float:
        """The fewest breaks, whatever the others do; infinite if the meetings do not fit.

        A dynamic programme over the slots; its states are how many slots are used, and whether the last one is.
        """
        states: dict[tuple[int, bool], int] = {(0, _IDLE): 0}
        for slot, free in enumerate(self.free):
            following: dict[tuple[int, bool], int] = {}
            for (used, before), count in states.items():
                if not self.taken[slot]:
                    self._keep(following, slot, (used, _IDLE), count)
                if free:
                    self._keep(following, slot, (used + 1, _BUSY), count + (used > 0 and before is _IDLE))
            states = following
        return min(states.values(), default=inf)

    def _keep(self, states: dict[tuple[int, bool], int], slot: int, state: tuple[int, bool], count: int) -> None:
        if self.least[slot + 1] <= state[0] <= self.most[slot + 1]:
            states[state] = min(count, states.get(state, count))


def calendar_of(instance: B2bInstance, participant: int) -> Calendar:
    """The slots of a participant. Every meeting must have one."""
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
    """The instance without the slots that precedences and the participants' fixed meetings rule out.

    Raises:
        Infeasible: what is left of some meeting, participant or slot is not enough.
    """
    _refuse_overfull(instance)  # first, for it gives the plainest reason
    slots = [list(meeting.slots) for meeting in instance.meetings]
    while _shrink(instance, slots):
        pass
    fewer = instance.within(slots)
    _refuse_overfull(fewer)
    return fewer


def refuse_unfair(instance: B2bInstance, fairness: int) -> None:
    """Refuse an instance in which two participants must be further apart.

    Raises:
        Infeasible: somebody has more breaks than fairness to another one allows, whatever the schedule.
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
    """Drop slots that lack support; whether any was dropped."""
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
            for other in numbers:
                if other != fixed:
                    slots[other] = [slot for slot in slots[other] if slot != slots[fixed][0]]
                    if not slots[other]:
                        raise Infeasible(f"meetings {fixed + 1} and {other + 1} of one participant want one slot")
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
    """How many of these meetings find no slot when each slot has so many places: augmenting paths."""
    held: list[list[int]] = [[] for _ in range(instance.slots)]

    def seat(number: int, seen: set[int]) -> bool:
        for slot in instance.meetings[number].slots:
            if slot not in seen:
                seen.add(slot)
                if len(held[slot]) < places:
                    held[slot].append(number)
                    return True
                for at, other in enumerate(held[slot]):
                    if seat(other, seen):
                        held[slot][at] = number
                        return True
        return False

    return sum(not seat(number, set()) for number in numbers)
