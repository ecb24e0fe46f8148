"""Propositional formulas in clauses, with counters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

#: The literal that is always true; its negation never is. Clauses are simplified by both as they are added.
TRUE = 1
FALSE = -TRUE

#: "At most one" of more literals takes an auxiliary variable: with fewer literals, pairs need fewer clauses.
_PAIRWISE = 5
_GROUP = 3


class Formula:
    """A formula in conjunctive normal form. Literals are non-zero integers, as in DIMACS."""

    def __init__(self) -> None:
        self.variables = TRUE
        self.clauses: list[list[int]] = [[TRUE]]

    def fresh(self) -> int:
        """Return a new variable."""
        self.variables += 1
        return self.variables

    def add(self, *literals: int) -> None:
        """Add the clause of these literals."""
        if TRUE not in literals:
            self.clauses.append([literal for literal in literals if literal != FALSE])

    def either(self, literals: Iterable[int]) -> int:
        """Return a literal equivalent to the disjunction of these."""
        some = [literal for literal in literals if literal != FALSE]
        if TRUE in some:
            return TRUE
        if len(some) <= 1:
            return some[0] if some else FALSE
        holds = self.fresh()
        self.add(-holds, *some)
        for literal in some:
            self.add(-literal, holds)
        return holds

    def all_of(self, *literals: int) -> int:
        """Return a literal equivalent to the conjunction of these."""
        return -self.either([-literal for literal in literals])

    def at_most_one(self, literals: Sequence[int]) -> None:
        """Forbid that two of these hold: pairwise, or in groups chained by auxiliary variables where there are many."""
        some = [literal for literal in literals if literal != FALSE]
        while len(some) > _PAIRWISE:
            rest = self.fresh()
            self._pairwise([*some[:_GROUP], rest])
            some = [-rest, *some[_GROUP:]]
        self._pairwise(some)

    def unary(self, literals: Iterable[int], most: int, *, exact: bool = True) -> list[int]:
        """Count the literals that hold, by literals "at least 1", "at least 2", ... up to `most` + 1.

        This is the totalizer of Bailleux and Boufkhad (CP 2003). Without `exact` the count may be too high, but never
        too low: half the clauses, enough for an upper limit.
        """
        some = [literal for literal in literals if literal != FALSE]
        sure = [TRUE] * min(some.count(TRUE), most + 1)
        undecided = [literal for literal in some if literal != TRUE]
        return sure + (self._total(undecided, most + 1 - len(sure), exact=exact) if len(sure) <= most else [])

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
        """Require at least as many in total as on both sides together."""
        if left or right:
            self.clauses.append([*(-literal for literal in (*left, *right)), *total])

    def _below(self, left: list[int], right: list[int], total: int) -> None:
        """Require no more in total than on both sides together."""
        self.clauses.append([*left, *right, -total])

    def _pairwise(self, literals: Sequence[int]) -> None:
        for at, first in enumerate(literals):
            for second in literals[at + 1 :]:
                self.add(-first, -second)
