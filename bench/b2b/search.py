"""Is there a schedule with so few breaks? Asked of a SAT solver, in slices.

A refusal proves the next bound: the formula holds every schedule, so a solver's "unsatisfiable under at most k" can be
checked with any other solver on `Encoding.formula`. A schedule that is found is checked by the rules themselves.
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
    """A model of the formula is no schedule: the formula and the rules contradict each other."""


class SearchOutcome(StrEnum):
    """What became of one slice of the search."""

    FOUND = "found"
    REFUSED = "refused"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Engine:
    """A solver of PySAT, and its options."""

    name: str
    options: Mapping[str, int] = field(default_factory=dict)


class Numbering:
    """Other numbers for a formula's variables. Solvers break ties by number, so another numbering is another search.

    Seed 0 leaves them as they are; so do all for what the formula gets later.
    """

    def __init__(self, variables: int, seed: int) -> None:
        numbers = list(range(1, variables + 1))
        if seed:
            Random(seed).shuffle(numbers)
        self._is_other = bool(seed)
        self._there = [0, *numbers]
        self._back = [0] * len(self._there)
        for one, other in enumerate(self._there):
            self._back[other] = one

    def there(self, literals: Iterable[int]) -> list[int]:
        """What the solver calls them."""
        return self._renumbered(self._there, literals)

    def back(self, literals: Iterable[int]) -> list[int]:
        """What the formula calls them."""
        return self._renumbered(self._back, literals)

    def _renumbered(self, numbers: list[int], literals: Iterable[int]) -> list[int]:
        if not self._is_other:
            return list(literals)
        known = len(numbers)
        return [each if abs(each) >= known else numbers[each] if each > 0 else -numbers[-each] for each in literals]


#: The bound that is proven, and the best schedule found, if any, with its breaks.
Progress = tuple[int, Schedule | None, int | None]


class Search:
    """The search of one engine, in slices; `bound` is proven, `schedule` the best one found."""

    def __init__(self, encoding: Encoding, engine: Engine, seed: int = 0) -> None:
        self._encoding = encoding
        self._numbering = Numbering(encoding.formula.variables, seed)
        self.bound = encoding.bound
        self.schedule: Schedule | None = None
        self.breaks: int | None = None
        self._solver = Solver(name=engine.name)
        self._solver.configure(dict(engine.options))
        self._handed = 0

    @property
    def news(self) -> Progress:
        """What is known so far."""
        return self.bound, self.schedule, self.breaks

    def ask(self, most: int | None, conflicts: int) -> SearchOutcome:
        """Ask for a schedule with `most` breaks, or with any, for so many conflicts; a refusal raises the bound.

        Raises:
            Infeasible: there is no schedule, whatever its breaks.
            EncodingWrong: the schedule found breaks a rule.
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
        """Give the solver the clauses that it has not got yet."""
        clauses = self._encoding.formula.clauses
        self._solver.append_formula([self._numbering.there(each) for each in clauses[self._handed :]])
        self._handed = len(clauses)

    def _found(self) -> SearchOutcome:
        schedule = self._encoding.schedule(self._numbering.back(self._solver.get_model()))
        broken = violations(self._encoding.instance, schedule, self._encoding.fairness)
        if broken:
            raise EncodingWrong(str(broken))
        count = sum(breaks(self._encoding.instance, schedule))
        if self.breaks is None or count < self.breaks:
            self.schedule, self.breaks = schedule, count
        return SearchOutcome.FOUND
