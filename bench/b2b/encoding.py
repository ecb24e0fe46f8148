"""The instance as a propositional formula.

Implied constraints of the paper: a participant uses as many slots as there are meetings of the participant. Tables
limit the busy participants of a slot, whose number is even. All meetings of a participant in a slot need one table.
Our implied constraints: prefix counts are bounded by the meetings that may have begun and that must be done. An idle
slot between meetings is a break. Without a break, all used slots follow from the first. The two counts of a slot's
meetings, by clusters and by busy participants, are linked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from bench.b2b.formula import FALSE, TRUE, Formula
from bench.b2b.instance import B2bInstance, Schedule
from bench.b2b.presolve import Calendar, calendar_of

#: Breaks above the first bound that are counted initially; doubled whenever they are too few.
_COUNTED = 8


class Encoding:
    """A formula whose models are the schedules of `instance` with this fairness.

    Literal `breaks[p][j]` means that participant p has more than j breaks. The instance must be narrowed: every
    meeting has a slot, and every participant has enough slots.
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
        """Sum of the participants' fewest breaks: a lower bound of the breaks of any schedule."""
        return sum(self.fewest)

    def at_most(self, breaks: int) -> list[int]:
        """Return assumptions under which there are at most `breaks` breaks. May add clauses to the formula."""
        over = breaks - self.bound
        if over >= len(self._excess) > self._counted:
            self._count_excess(2 * over)
        return [-self._excess[over]] if over < len(self._excess) else []

    def schedule(self, model: Iterable[int]) -> Schedule:
        """Return the schedule of a model."""
        true = {literal for literal in model if literal > 0}
        return tuple(next(slot for slot, literal in starts.items() if literal in true) for starts in self._at)

    def _count_excess(self, most: int) -> None:
        """Count the breaks above `bound` by literals "at least 1", "at least 2", ... up to `most` + 1."""
        above = [
            literal for count, literals in zip(self.fewest, self.breaks, strict=True) for literal in literals[count:]
        ]
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
        """Count the used slots before every slot, by literals "at least 0", "at least 1", ..."""
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
        """Count breaks at their last slot: an idle slot after the first meeting and directly before a meeting."""
        inner = range(1, len(busy) - 1)
        begun = [count[min(1, meetings)] for count in counts]
        ends = [self.formula.all_of(begun[slot], -busy[slot], busy[slot + 1]) for slot in inner]
        breaks = self.formula.unary(ends, max(meetings - 1, 0))
        if breaks:
            for slot in inner:
                self.formula.add(-begun[slot], busy[slot], counts[slot][meetings], breaks[0])
            self._consecutive(counts, meetings, breaks[0])
        return breaks

    def _consecutive(self, counts: list[list[int]], meetings: int, any_break: int) -> None:
        """Without a break, the first slot of a participant determines the number of meetings done at any later slot."""
        for before, after in pairwise(counts):
            for count in range(1, meetings):
                self.formula.add(-before[count], after[count + 1], any_break)

    def _order(self, precedences: Iterable[tuple[int, int]]) -> None:
        for earlier, later in precedences:
            for slot, literal in self._at[later].items():
                self.formula.add(-literal, *(before for at, before in self._at[earlier].items() if at < slot))
            for slot, literal in self._at[earlier].items():
                self.formula.add(-literal, *(after for at, after in self._at[later].items() if at > slot))

    def _tables(self, slot: int, clusters: Mapping[int, list[int]]) -> None:
        """Limit the meetings of a slot to the tables, counted by clusters and by busy participants (two a meeting)."""
        tables, unary, add = self.instance.tables, self.formula.unary, self.formula.add
        active = [self._active(slot, participant, numbers) for participant, numbers in clusters.items()]
        if sum(literal != FALSE for literal in active) <= tables:
            return
        meetings = unary(active, tables)
        busy = unary((of_participant[slot] for of_participant in self._busy), 2 * tables)
        guests = unary(
            (
                of_participant[slot]
                for participant, of_participant in enumerate(self._busy)
                if participant not in clusters
            ),
            tables,
        )
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
        """Require: if any participant has `fairness` + L breaks or more, all participants have at least L."""
        for least in range(1, max(map(len, self.breaks), default=0) - fairness + 1):
            everyone = FALSE if any(len(literals) < least for literals in self.breaks) else self.formula.fresh()
            for literals in self.breaks:
                if len(literals) >= least:
                    self.formula.add(-everyone, literals[least - 1])
                if len(literals) >= least + fairness:
                    self.formula.add(-literals[least + fairness - 1], everyone)


def _at_least(count: int, literals: Sequence[int]) -> int:
    return literals[count - 1] if count <= len(literals) else FALSE


def _clusters(instance: B2bInstance) -> dict[int, list[int]]:
    """Assign every meeting to a participant of it, so that few participants cover all meetings (greedy cover)."""
    uncovered = [set(numbers) for numbers in instance.meetings_of]
    clusters: dict[int, list[int]] = {}
    while any(uncovered):
        host = max(range(instance.participants), key=lambda participant: len(uncovered[participant]))
        clusters[host] = sorted(uncovered[host])
        for numbers in uncovered:
            numbers.difference_update(clusters[host])
    return clusters


def _twins(instance: B2bInstance) -> Iterable[tuple[int, int]]:
    """Yield interchangeable meetings of the same pair, to be put in order without loss."""
    ordered = {number for pair in instance.precedences for number in pair}
    last: dict[tuple[frozenset[int], tuple[int, ...]], int] = {}
    for number, meeting in enumerate(instance.meetings):
        if number not in ordered:
            kind = (frozenset((meeting.first, meeting.second)), meeting.slots)
            if kind in last:
                yield last[kind], number
            last[kind] = number
