"""Clauses, and how to count in them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

#: The literal that is always true; its negation never is. Clauses are simplified by both as they are added.
TRUE = 1
FALSE = -TRUE

#: From how many literals on "at most one" takes an auxiliary variable: below, pairs are fewer clauses.
_PAIRWISE = 5
_GROUP = 3


class Formula:
    """A propositional formula in conjunctive normal form; literals are integers other than 0, as in DIMACS."""

    def __init__(self) -> None:
        self.variables = TRUE
        self.clauses: list[list[int]] = [[TRUE]]

    def fresh(self) -> int:
        """A new variable."""
        self.variables += 1
        return self.variables

    def add(self, *literals: int) -> None:
        """At least one of these holds."""
        if TRUE not in literals:
            self.clauses.append([each for each in literals if each != FALSE])

    def either(self, literals: Iterable[int]) -> int:
        """A literal that holds if and only if one of these does."""
        some = [each for each in literals if each != FALSE]
        if TRUE in some:
            return TRUE
        if len(some) <= 1:
            return some[0] if some else FALSE
        holds = self.fresh()
        self.add(-holds, *some)
        for each in some:
            self.add(-each, holds)
        return holds

    def all_of(self, *literals: int) -> int:
        """A literal that holds if and only if all of these do."""
        return -self.either([-each for each in literals])

    def at_most_one(self, literals: Sequence[int]) -> None:
        """No two of these hold: pairwise, long ones in groups chained by an auxiliary variable."""
        some = [each for each in literals if each != FALSE]
        while len(some) > _PAIRWISE:
            rest = self.fresh()
            self._pairwise([*some[:_GROUP], rest])
            some = [-rest, *some[_GROUP:]]
        self._pairwise(some)

    def unary(self, literals: Iterable[int], most: int, *, exact: bool = True) -> list[int]:
        """The number of these that hold, as literals "at least 1", "at least 2", ... up to `most` + 1 of them.

        It is the totalizer of Bailleux and Boufkhad (CP 2003). Without `exact` the count may be said too high, never
        too low: half the clauses, where only an upper limit will be put on it.
        """
        some = [each for each in literals if each != FALSE]
        sure = [TRUE] * min(some.count(TRUE), most + 1)
        open_ones = [each for each in some if each != TRUE]
        return sure + (self._total(open_ones, most + 1 - len(sure), exact=exact) if len(sure) <= most else [])

    def _total(self, literals: list[int], length: int, *, exact: bool) -> list[int]:
        if len(literals) <= 1:
            return literals
        half = len(literals) // 2
        left = self._total(literals[:half], length, exact=exact)
        right = self._total(literals[half:], length, exact=exact)
        total = [self.fresh() for _ in range(min(len(left) + len(right), length))]
        for a in range(len(left) + 1):
            for b in range(len(right) + 1):
                self._at_least(left[:a][-1:], right[:b][-1:], total[: a + b][-1:])
                if exact and a + b < len(total):
                    self._below(left[a : a + 1], right[b : b + 1], total[a + b])
        for fewer, more in pairwise(total):
            self.add(fewer, -more)
        return total

    def _at_least(self, left: list[int], right: list[int], total: list[int]) -> None:
        """As many as there are on both sides together."""
        if left or right:
            self.clauses.append([*(-each for each in (*left, *right)), *total])

    def _below(self, left: list[int], right: list[int], total: int) -> None:
        """No more than there are on both sides together."""
        self.clauses.append([*left, *right, -total])

    def _pairwise(self, literals: Sequence[int]) -> None:
        for at, one in enumerate(literals):
            for other in literals[at + 1 :]:
                self.add(-one, -other)
