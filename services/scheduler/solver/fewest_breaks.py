"""A proof: the fewest breaks of any agenda that places as many meetings, participant by participant."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from services.scheduler.domain.timetable.timeline import SlotSet, bits
from services.scheduler.solver.draft import Draft

#: A state of the dynamic programme: meetings placed, whether the day has a meeting yet, whether the participant is
#: idle, and the breaks that count only if the day has another meeting.
_State = tuple[int, bool, bool, int]


def fewest_breaks(draft: Draft) -> int:
    """Return a lower bound on the breaks of any agenda that leaves no more meetings waiting than the draft does.

    A participant needs as many slots as meetings, out of the slots shared with a partner. A dynamic programme finds the
    fewest breaks among these choices. A waiting meeting relieves two participants of their breaks.
    """
    possible: defaultdict[int, SlotSet] = defaultdict(int)
    for pair, sides in enumerate(draft.sides):
        for person in sides:
            possible[person] |= draft.common(pair)
    fewest = [
        _fewest(len(draft.pairs_of[person]), slots & ~_fixed(draft, person), _fixed(draft, person), person, draft)
        for person, slots in sorted(possible.items())
    ]
    relieved = 2 * (len(draft.pairs) - draft.placed_count())
    return sum(sorted(fewest)[: len(fewest) - relieved])


def _fixed(draft: Draft, person: int) -> SlotSet:
    """Return the slots of a participant's fixed meetings."""
    return draft.busy[person] & ~sum(draft.pair_at[person])


def _fewest(meetings: int, possible: SlotSet, fixed: SlotSet, person: int, draft: Draft) -> int:
    """Return the fewest breaks of a participant with so many meetings besides the fixed meetings.

    The programme goes slot by slot and keeps the fewest breaks of every reachable state.
    """
    states: dict[_State, int] = {(0, False, False, 0): 0}
    for day in draft.days:
        for slot in bits(day):
            states = _after(slot, states, meetings, possible, fixed, draft.attending[person])
        states = _best(((placed, False, False, 0), breaks) for (placed, *_), breaks in states.items())
    return states.get((meetings, False, False, 0), 0)


def _after(
    slot: SlotSet, states: dict[_State, int], meetings: int, possible: SlotSet, fixed: SlotSet, attending: SlotSet
) -> dict[_State, int]:
    following: list[tuple[_State, int]] = []
    for (placed, begun, idle, pending), breaks in states.items():
        if fixed & slot:
            following.append(((placed, True, False, 0), breaks + pending))
            continue
        if possible & slot and placed < meetings:
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
