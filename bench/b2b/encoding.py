"""The instance as a formula.

The implied constraints are those of the paper (slots a participant uses are as many as their meetings; tables limit
the participants busy in a slot, whose number is even; meetings of one participant count as one against the tables), and
some of ours: the prefix counts are bounded by what can have begun and must be done; an idle slot in the middle is a
break at once; without a break all used slots follow from the first; both ways of counting a slot's meetings, by
clusters and by busy participants, are tied to each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from bench.b2b.formula import FALSE, TRUE, Formula
from bench.b2b.instance import B2bInstance, Schedule
from bench.b2b.presolve import Calendar, calendar_of

#: How many breaks above the first bound are counted at first; doubled when they are too few.
_COUNTED = 8


class Encoding:
    """Models of `formula` are the schedules of `instance` with this fairness; `breaks[p][j]`: p has more than j.

    The instance must be narrowed: every meeting has a slot, every participant enough of them.
    """

    def __init__(self, instance: B2bInstance, fairness: int) -> None:
        self.formula = Formula()
        self.instance = instance
        self.fairness = fairness
        self.fewest: list[int] = []
        self._at = [self._starts(meeting.slots) for meeting in instance.meetings]
        self._busy: list[list[int]] = []
        self.breaks: list[list[int]] = []
        for participant in range(instance.participants):
            self._participant(participant)
        self._order(instance.precedences)
        self._order(_twins(instance))
        clusters = _clusters(instance)
        for slot in range(instance.slots):
            self._tables(slot, clusters)
        self._fair(fairness)
        self._count_excess(_COUNTED)

    @property
    def bound(self) -> int:
        """The fewest breaks of each participant, summed: no schedule has fewer."""
        return sum(self.fewest)

    def at_most(self, breaks: int) -> list[int]:
        """The literal, if one is needed, under which there are at most so many breaks; it may add to the formula."""
        over = breaks - self.bound
        if over >= len(self._excess) > self._counted:
            self._count_excess(2 * over)
        return [-self._excess[over]] if over < len(self._excess) else []

    def schedule(self, model: Iterable[int]) -> Schedule:
        """What a model says."""
        true = {literal for literal in model if literal > 0}
        return tuple(next(slot for slot, literal in starts.items() if literal in true) for starts in self._at)

    def _count_excess(self, most: int) -> None:
        """Count the breaks above `bound`: literals "at least 1", "at least 2", ... `most` + 1."""
        above = [each for count, theirs in zip(self.fewest, self.breaks, strict=True) for each in theirs[count:]]
        self._counted = most
        self._excess = self.formula.unary(above, most, exact=False)

    def _starts(self, slots: tuple[int, ...]) -> Mapping[int, int]:
        if len(slots) == 1:
            return {slots[0]: TRUE}
        starts = {slot: self.formula.fresh() for slot in slots}
        self.formula.add(*starts.values())
        self.formula.at_most_one(list(starts.values()))
        return starts

    def _participant(self, participant: int) -> None:
        calendar = calendar_of(self.instance, participant)
        meetings = self.instance.meetings_of[participant]
        busy = []
        for slot in range(self.instance.slots):
            here = [self._at[number].get(slot, FALSE) for number in meetings]
            self.formula.at_most_one(here)
            busy.append(self.formula.either(here))
        counts = self._count(busy, calendar, len(meetings))
        self._busy.append(busy)
        self.fewest.append(int(calendar.fewest_breaks))
        self.breaks.append(self._breaks(busy, counts, len(meetings)))
        for sure in self.breaks[-1][: self.fewest[-1]]:
            self.formula.add(sure)

    def _count(self, busy: list[int], calendar: Calendar, meetings: int) -> list[list[int]]:
        """Count the used slots, from the first on; returns, before each slot: "at least 0", "at least 1", ..."""
        add, fresh = self.formula.add, self.formula.fresh

        def literal(prefix: int, count: int) -> int:
            if count <= calendar.least[prefix]:
                return TRUE
            return FALSE if count > calendar.most[prefix] else fresh()

        counts = [[literal(prefix, count) for count in range(meetings + 2)] for prefix in range(len(busy) + 1)]
        for used, (before, after) in zip(busy, pairwise(counts), strict=True):
            for count in range(1, meetings + 2):
                add(-before[count], after[count])
                add(-before[count - 1], -used, after[count])
                add(before[count], used, -after[count])
                add(before[count - 1], -after[count])
        return counts

    def _breaks(self, busy: list[int], counts: list[list[int]], meetings: int) -> list[int]:
        """Breaks counted where they end: idle, after the first meeting and just before another one."""
        inner = range(1, len(busy) - 1)
        begun = [each[min(1, meetings)] for each in counts]
        ends = [self.formula.all_of(begun[slot], -busy[slot], busy[slot + 1]) for slot in inner]
        breaks = self.formula.unary(ends, max(meetings - 1, 0))
        if breaks:
            for slot in inner:
                self.formula.add(-begun[slot], busy[slot], counts[slot][meetings], breaks[0])
            self._consecutive(counts, meetings, breaks[0])
        return breaks

    def _consecutive(self, counts: list[list[int]], meetings: int, any_break: int) -> None:
        """Without a break, when a participant begins says at once how many meetings are done at any time after."""
        for before, after in pairwise(counts):
            for count in range(1, meetings):
                self.formula.add(-before[count], after[count + 1], any_break)

    def _order(self, precedences: Iterable[tuple[int, int]]) -> None:
        for earlier, later in precedences:
            for slot, literal in self._at[later].items():
                self.formula.add(-literal, *(each for at, each in self._at[earlier].items() if at < slot))
            for slot, literal in self._at[earlier].items():
                self.formula.add(-literal, *(each for at, each in self._at[later].items() if at > slot))

    def _tables(self, slot: int, clusters: Mapping[int, list[int]]) -> None:
        """At most as many meetings as tables: counted by clusters, and by the participants that are busy, two each."""
        tables, unary, add = self.instance.tables, self.formula.unary, self.formula.add
        active = [self._active(slot, participant, numbers) for participant, numbers in clusters.items()]
        if sum(each != FALSE for each in active) <= tables:
            return
        meetings = unary(active, tables)
        busy = unary((theirs[slot] for theirs in self._busy), 2 * tables)
        guests = unary((theirs[slot] for each, theirs in enumerate(self._busy) if each not in clusters), tables)
        for too_many in (*meetings[tables:], *busy[2 * tables :], *guests[tables:]):
            add(-too_many)
        for count in range(1, tables + 1):
            held = _at_least(count, meetings)
            add(-_at_least(2 * count - 1, busy), held)
            add(-held, _at_least(2 * count, busy))
        for guest, held in zip(guests, meetings, strict=False):
            add(-guest, held)

    def _active(self, slot: int, participant: int, numbers: list[int]) -> int:
        if len(numbers) == len(self.instance.meetings_of[participant]):
            return self._busy[participant][slot]
        return self.formula.either(self._at[number].get(slot, FALSE) for number in numbers)

    def _fair(self, fairness: int) -> None:
        """Whoever has `fairness` + L breaks or more proves that everyone has at least L."""
        for least in range(1, max(map(len, self.breaks), default=0) - fairness + 1):
            everyone = FALSE if any(len(theirs) < least for theirs in self.breaks) else self.formula.fresh()
            for theirs in self.breaks:
                if len(theirs) >= least:
                    self.formula.add(-everyone, theirs[least - 1])
                if len(theirs) >= least + fairness:
                    self.formula.add(-theirs[least + fairness - 1], everyone)


def _at_least(count: int, literals: Sequence[int]) -> int:
    return literals[count - 1] if count <= len(literals) else FALSE


def _clusters(instance: B2bInstance) -> dict[int, list[int]]:
    """The meetings shared out to few participants, each meeting to one of its two: the busiest first (greedy cover)."""
    open_ones = [set(numbers) for numbers in instance.meetings_of]
    clusters: dict[int, list[int]] = {}
    while any(open_ones):
        host = max(range(instance.participants), key=lambda participant: len(open_ones[participant]))
        clusters[host] = sorted(open_ones[host])
        for numbers in open_ones:
            numbers.difference_update(clusters[host])
    return clusters


def _twins(instance: B2bInstance) -> Iterable[tuple[int, int]]:
    """Meetings of one pair that nothing else tells apart: they may as well be in order."""
    ordered = {number for pair in instance.precedences for number in pair}
    last: dict[tuple[frozenset[int], tuple[int, ...]], int] = {}
    for number, meeting in enumerate(instance.meetings):
        if number not in ordered:
            kind = (frozenset((meeting.one, meeting.other)), meeting.slots)
            if kind in last:
                yield last[kind], number
            last[kind] = number
