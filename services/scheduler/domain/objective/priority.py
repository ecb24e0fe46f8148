"""The order in which meetings compete for places, both for freed places and for a new agenda.

From the most to the least important: the priority of the pair; service to a goal of the edition; participants with
fewer meetings than the edition's minimum; participants with the smallest share of their wanted meetings; affinity.
The worst-off participant of a meeting counts.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any, NamedTuple, TypeVar

Item = TypeVar("Item")


class Demand(NamedTuple):
    """The claim of a pair to a place: its priority, its service to a goal, and its affinity (0..1)."""

    priority: int
    serves_goal: bool
    score: float

    @property
    def rank(self) -> tuple[int, bool]:
        """The first sort key of meetings: the smallest rank is placed first."""
        return -self.priority, not self.serves_goal


class FillRate(NamedTuple):
    """The number of placed meetings, and the number of wanted meetings, placed meetings included.

    It describes a participant, or a goal.
    """

    placed: int
    wanted: int

    @property
    def share(self) -> float:
        """The placed share of the wanted meetings, 0..1; 1 if no meeting is wanted."""
        return self.placed / self.wanted if self.wanted else 1.0

    def shortfall(self, minimum: int | None) -> int:
        """Return the number of meetings short of the minimum. Meetings that are not wanted are not missing."""
        return max(0, min(minimum or 0, self.wanted) - self.placed)


def demand_key(demand: Demand, meeting_counts: Iterable[int], minimum: int | None) -> tuple[int, bool, bool]:
    """Return the sort key of a meeting before fairness and affinity: the smallest key is placed first.

    `meeting_counts` are the numbers of other meetings of its participants.
    """
    return *demand.rank, minimum is None or min(meeting_counts) >= minimum


def demand_total(demands: Collection[Demand]) -> tuple[int, int, int]:
    """Return the number of demands, the sum of their priorities, and the number that serve a goal: more is better."""
    return len(demands), sum(demand.priority for demand in demands), sum(demand.serves_goal for demand in demands)


def placement_key(
    demand: Demand, fill_rates: Iterable[FillRate], minimum: int | None
) -> tuple[int, bool, bool, float, float]:
    """Return the sort key of an unplaced meeting: the smallest key is placed first.

    `fill_rates` has an entry for every participant of the meeting.
    """
    rates = tuple(fill_rates)
    first = demand_key(demand, (rate.placed for rate in rates), minimum)
    return (*first, min(rate.share for rate in rates), -demand.score)


def smallest_key_first(items: Iterable[Item], key_of: Callable[[Item], Any]) -> Iterator[Item]:
    """Yield the items by their keys, the smallest first. Keys may grow during the iteration, but never shrink.

    `key_of` must give distinct keys.
    """
    heap = [(key_of(item), item) for item in items]
    heapq.heapify(heap)
    while heap:
        old_key, item = heap[0]
        key = key_of(item)
        if key != old_key:
            heapq.heapreplace(heap, (key, item))
        else:
            heapq.heappop(heap)
            yield item
