"""Is there a schedule with so few breaks? Asked of a SAT solver, in slices.

A refusal proves the next bound: the formula holds every schedule, so a solver's "unsatisfiable under at most k" can be
checked with any other solver on `Encoding.formula`. A schedule that is found is checked by the rules themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pysat.solvers import Solver

from services.scheduler.b2b.encoding import Encoding
from services.scheduler.b2b.instance import Infeasible, Instance, Schedule, breaks, violations

#: How many breaks above the first bound are counted at first; doubled when they are too few.
_COUNTED = 8


class EncodingWrong(Exception):
    """A model of the formula is no schedule: the formula and the rules contradict each other."""


class Outcome(StrEnum):
    """What became of one slice of the search."""

    FOUND = "found"
    REFUSED = "refused"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Engine:
    """A solver of PySAT, and its options."""

    name: str
    options: Mapping[str, int] = field(default_factory=dict)


#: The bound that is proven, and the best schedule found, if any, with its breaks.
News = tuple[int, Schedule | None, int | None]


class Search:
    """The search of one engine, in slices; `bound` is proven, `schedule` the best one found."""

    def __init__(self, instance: Instance, fairness: int, engine: Engine) -> None:
        """Encode the instance, which must be narrowed."""
        self._encoding = Encoding(instance, fairness)
        self._fairness = fairness
        self._first = self.bound = self._encoding.bound
        self.schedule: Schedule | None = None
        self.breaks: int | None = None
        self._solver = Solver(name=engine.name)
        self._solver.configure(dict(engine.options))
        self._handed = 0
        self._count(_COUNTED)

    @property
    def news(self) -> News:
        """What is known so far."""
        return self.bound, self.schedule, self.breaks

    def ask(self, most: int | None, conflicts: int) -> Outcome:
        """Ask for a schedule with `most` breaks, or with any, for so many conflicts; a refusal raises the bound.

        Raises:
            Infeasible: there is no schedule, whatever its breaks.
            EncodingWrong: the schedule found breaks a rule.
        """
        limit = [] if most is None else self._limit(most - self._first)
        self._solver.conf_budget(conflicts)
        answer = self._solver.solve_limited(assumptions=limit)
        if answer is None:
            return Outcome.UNDECIDED
        if answer:
            return self._found()
        if most is None or not self._solver.get_core():
            raise self._infeasible()
        return self._refused(most)

    def settle(self, most: int) -> Outcome:
        """Ask for a schedule with `most` breaks, until it is decided; the search is of no use after a refusal.

        The limit becomes part of the formula: solvers simplify by what is certain.

        Raises:
            Infeasible: there is no schedule, whatever its breaks.
            EncodingWrong: the schedule found breaks a rule.
        """
        limit = self._limit(most - self._first)
        for literal in limit:
            self._solver.add_clause([literal])
        if self._solver.solve():
            return self._found()
        if not limit:
            raise self._infeasible()
        return self._refused(most)

    def stop(self) -> None:
        """Free the solver's memory."""
        self._solver.delete()

    def _limit(self, over: int) -> list[int]:
        if over >= len(self._excess) > self._counted:
            self._count(2 * over)
        return [-self._excess[over]] if over < len(self._excess) else []

    def _count(self, most: int) -> None:
        self._counted = most
        self._excess = self._encoding.excess(most)
        clauses = self._encoding.formula.clauses
        self._solver.append_formula(clauses[self._handed :])
        self._handed = len(clauses)

    def _infeasible(self) -> Infeasible:
        return Infeasible(f"no schedule obeys all rules with the participants' breaks at most {self._fairness} apart")

    def _refused(self, most: int) -> Outcome:
        self.bound = max(self.bound, most + 1)
        return Outcome.REFUSED

    def _found(self) -> Outcome:
        schedule = self._encoding.schedule(self._solver.get_model())
        broken = violations(self._encoding.instance, schedule, self._fairness)
        if broken:
            raise EncodingWrong(str(broken))
        count = sum(breaks(self._encoding.instance, schedule))
        if self.breaks is None or count < self.breaks:
            self.schedule, self.breaks = schedule, count
        return Outcome.FOUND
