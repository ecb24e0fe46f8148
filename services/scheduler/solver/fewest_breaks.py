"""Prove: how many breaks there must be at least if all are placed, participant by participant."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from services.scheduler.domain.timetable.timeline import SlotSet, bits
from services.scheduler.solver.draft import Draft

_State = tuple[int, bool, bool, int]


def fewest_breaks(draft: Draft) -> int:
    """A lower bound on the breaks of any agenda that leaves no more encounters waiting than the draft does.

    Each participant needs as many slots as encounters, out of those that she shares with one of those she meets; a
    dynamic programme finds the fewest breaks among her choices. One encounter that waits relieves two participants.
    """
    possible: defaultdict[int, SlotSet] = defaultdict(int)
    for pair, sides in enumerate(draft.sides):
        for person in sides:
            possible[person] |= draft.common(pair)
    fewest = [
        _fewest(len(draft.pairs_of[person]), slots & ~_fixed(draft, person), _fixed(draft, person), person, draft)
        for person, slots in sorted(possible.items())
    ]
    relieved = 2 * (len(draft.pairs) - draft.placed())
    return sum(sorted(fewest)[: len(fewest) - relieved])


def _fixed(draft: Draft, person: int) -> SlotSet:
    """When a participant is in encounters that stay."""
    return draft.busy[person] & ~sum(draft.at[person])


def _fewest(encounters: int, possible: SlotSet, fixed: SlotSet, person: int, draft: Draft) -> int:
    """The fewest breaks with which a participant has so many encounters, beside the fixed ones.

    Slot by slot, the fewest so far for: the encounters placed, whether the day has begun, whether she is idle, and the
    breaks that count only if she meets once more that day.
    """
    states: dict[_State, int] = {(0, False, False, 0): 0}
    for day in draft.days:
        for slot in bits(day):
            states = _after(slot, states, encounters, possible, fixed, draft.attending[person])
        states = _best(((placed, False, False, 0), breaks) for (placed, *_), breaks in states.items())
    return states.get((encounters, False, False, 0), 0)


def _after(
    slot: SlotSet, states: dict[_State, int], encounters: int, possible: SlotSet, fixed: SlotSet, attending: SlotSet
) -> dict[_State, int]:
    following: list[tuple[_State, int]] = []
    for (placed, begun, idle, pending), breaks in states.items():
        if fixed & slot:
            following.append(((placed, True, False, 0), breaks + pending))
            continue
        if possible & slot and placed < encounters:
            following.append(((placed + 1, True, False, 0), breaks + pending))
        if attending & slot:
            following.append(((placed, begun, False, pending), breaks))
        else:
            following.append(((placed, begun, begun, pending + (begun and not idle)), breaks))
    return _best(following)


def _best(states: Iterable[tuple[_State, int]]) -> dict[_State, int]:
    best: dict[_State, int] = {}
    for state, breaks in states:
        best[state] = min(breaks, best.get(state, breaks))
    return best
