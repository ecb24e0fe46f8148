"""Who comes first where not all can be served: the one order, for what is freed and for what is made anew.

The higher priority; of the same, what serves a goal of the edition; then who has fewer encounters than it wants
everybody to have at least; then the least served, by the share of what they want; then who fits better. Of those who
meet, the worst off counts.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any, NamedTuple, TypeVar

Item = TypeVar("Item")


class Demand(NamedTuple):
    """How much an encounter is wanted: its priority, whether it serves a goal, and how well the two fit, 0..1."""

    priority: int
    serves_goal: bool
    score: float

    @property
    def rank(self) -> tuple[int, bool]:
        """What comes before all else, the less the sooner."""
        return -self.priority, not self.serves_goal


class FillRate(NamedTuple):
    """How many encounters have a place, and how many are wanted, those included: a participant's, or a goal's."""

    placed: int
    wanted: int

    @property
    def share(self) -> float:
        """What part of those wanted have a place, 0..1; 1 where none is wanted."""
        return self.placed / self.wanted if self.wanted else 1.0

    def shortfall(self, least: int | None) -> int:
        """How many encounters the participant is short of the least; what nobody wants is not missing."""
        return max(0, min(least or 0, self.wanted) - self.placed)


def demand_key(wish: Demand, others: Iterable[int], least: int | None) -> tuple[int, bool, bool]:
    """Its rank, then who is short of the least; `others` are how many other encounters each of them has."""
    return *wish.rank, least is None or min(others) >= least


def demand_total(wishes: Collection[Demand]) -> tuple[int, int, int]:
    """How many there are, the sum of their priorities, and how many serve a goal: more is better, the first first."""
    return len(wishes), sum(each.priority for each in wishes), sum(each.serves_goal for each in wishes)


def placement_key(wish: Demand, people: Iterable[FillRate], least: int | None) -> tuple[int, bool, bool, float, float]:
    """How much an encounter without a place is needed, the less the more."""
    served = tuple(people)
    first = demand_key(wish, (each.placed for each in served), least)
    return (*first, min(each.share for each in served), -wish.score)


def smallest_key_first(items: Iterable[Item], need_of: Callable[[Item], Any]) -> Iterator[Item]:
    """Each item, the neediest first, as needs are when it is its turn: they may only have become less meanwhile.

    `need_of` gives what sorts, the less the sooner, and differs from item to item.
    """
    heap = [(need_of(each), each) for each in items]
    heapq.heapify(heap)
    while heap:
        before, item = heap[0]
        now = need_of(item)
        if now != before:
            heapq.heapreplace(heap, (now, item))
        else:
            heapq.heappop(heap)
            yield item
