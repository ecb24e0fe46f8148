"""The search for a schedule with at most k breaks by a SAT solver, in slices.

A refusal proves the next bound. The formula holds every schedule, so "unsatisfiable under at most k" can be checked
with another solver on `Encoding.formula`. A schedule is checked by the rules themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random

from pysat.solvers import Solver

from bench.b2b.encoding import Encoding
from bench.b2b.instance import Infeasible, Schedule, breaks, violations


class EncodingWrong(Exception):
    """A model of the formula violates a rule: the formula is wrong."""


class SearchOutcome(StrEnum):
    """Outcome of a slice of the search."""

    FOUND = "found"
    REFUSED = "refused"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Engine:
    """A solver of PySAT and its options."""

    name: str
    options: Mapping[str, int] = field(default_factory=dict)


class Numbering:
    """A permutation of a formula's variables. Solvers break ties by number: another numbering is another search.

    Seed 0 is the identity. Variables added later keep their numbers.
    """

    def __init__(self, variables: int, seed: int) -> None:
        numbers = list(range(1, variables + 1))
        if seed:
            Random(seed).shuffle(numbers)
        self._is_permuted = bool(seed)
        self._there = [0, *numbers]
        self._back = [0] * len(self._there)
        for variable, number in enumerate(self._there):
            self._back[number] = variable

    def there(self, literals: Iterable[int]) -> list[int]:
        """Map literals of the formula to literals of the solver."""
        return self._renumbered(self._there, literals)

    def back(self, literals: Iterable[int]) -> list[int]:
        """Map literals of the solver to literals of the formula."""
        return self._renumbered(self._back, literals)

    def _renumbered(self, numbers: list[int], literals: Iterable[int]) -> list[int]:
        if not self._is_permuted:
            return list(literals)
        known = len(numbers)
        return [
            literal if abs(literal) >= known else numbers[literal] if literal > 0 else -numbers[-literal]
            for literal in literals
        ]


#: The proven bound, the best schedule found, if any, and its breaks.
Progress = tuple[int, Schedule | None, int | None]


class Search:
    """The search of an engine, in slices. `bound` is proven; `schedule` is the best schedule found."""

    def __init__(self, encoding: Encoding, engine: Engine, seed: int = 0) -> None:
        self._encoding = encoding
        self._numbering = Numbering(encoding.formula.variables, seed)
        self.bound = encoding.bound
        self.schedule: Schedule | None = None
        self.breaks: int | None = None
        self._solver = Solver(name=engine.name)
        self._solver.configure(dict(engine.options))
        self._handed_over = 0

    @property
    def progress(self) -> Progress:
        """The results so far."""
        return self.bound, self.schedule, self.breaks

    def ask(self, most: int | None, conflicts: int) -> SearchOutcome:
        """Ask for a schedule with at most `most` breaks (None: any) within `conflicts`. A refusal raises the bound.

        Raises:
            Infeasible: there is no schedule with any number of breaks.
            EncodingWrong: the schedule found violates a rule.
        """
        limit = [] if most is None else self._encoding.at_most(most)
        self._hand_over()
        self._solver.conf_budget(conflicts)
        answer = self._solver.solve_limited(assumptions=self._numbering.there(limit))
        if answer is None:
            return SearchOutcome.UNDECIDED
        if answer:
            return self._found()
        if most is None or not self._solver.get_core():
            apart = self._encoding.fairness
            raise Infeasible(f"no schedule obeys all rules with the participants' breaks at most {apart} apart")
        self.bound = max(self.bound, most + 1)
        return SearchOutcome.REFUSED

    def _hand_over(self) -> None:
        """Add the formula's new clauses to the solver."""
        clauses = self._encoding.formula.clauses
        self._solver.append_formula([self._numbering.there(clause) for clause in clauses[self._handed_over :]])
        self._handed_over = len(clauses)

    def _found(self) -> SearchOutcome:
        schedule = self._encoding.schedule(self._numbering.back(self._solver.get_model()))
        broken = violations(self._encoding.instance, schedule, self._encoding.fairness)
        if broken:
            raise EncodingWrong(str(broken))
        count = sum(breaks(self._encoding.instance, schedule))
        if self.breaks is None or count < self.breaks:
            self.schedule, self.breaks = schedule, count
        return SearchOutcome.FOUND
