"""Large neighbourhood search: the meetings of a few participants are freed, and CP-SAT places them best.

All other meetings of the draft stay.
"""

from __future__ import annotations

import random
from collections import defaultdict

from ortools.sat.python import cp_model

from services.scheduler.domain.improvement.problem import Candidate
from services.scheduler.domain.objective.priority import Demand, demand_total
from services.scheduler.domain.timetable.timeline import SlotSet, bits
from services.scheduler.solver.draft import Draft

#: Meetings freed at once: a worker solves so many in well under a second. With fewer the search stops short of the
#: bound.
_MOST_FREED = 64
#: (meetings of a participant, their weight for fairness): the first meeting weighs most.
_SHARES = ((1, 4), (2, 2), (3, 1))
#: Weights of the objective's levels. Each weight exceeds all that the levels below can add up to in a neighbourhood.
_AFFINITY = 1
_FAIRNESS = _AFFINITY * 1_000 * _MOST_FREED
_LEAST = _FAIRNESS * 7 * 2 * _MOST_FREED
_GOAL = _LEAST * (2 * _MOST_FREED + 1)
_PRIORITY = _GOAL * (_MOST_FREED + 1)
_PLACED = _PRIORITY * 3 * _MOST_FREED


def group_around(draft: Draft, person: int, chance: random.Random) -> list[int]:
    """Return up to `_MOST_FREED` pairs: those of a participant, then of the partners, then of their partners."""
    chosen: dict[int, None] = {}
    seen, front = {person}, [person]
    while front:
        theirs = list(draft.pairs_of[front.pop(0)])
        chance.shuffle(theirs)
        for pair in theirs:
            if len(chosen) >= _MOST_FREED:
                return list(chosen)
            chosen[pair] = None
            new = [side for side in draft.sides[pair] if side not in seen]
            seen.update(new)
            front.extend(new)
    return list(chosen)


def place_again(draft: Draft, candidates: tuple[Candidate, ...], group: list[int], seed: int, effort: float) -> None:
    """Give the pairs of a group the best slots found with `effort` (CP-SAT's deterministic time).

    The draft never becomes worse.
    """
    before = {pair: draft.slot[pair] for pair in group}
    people = sorted({person for pair in group for person in draft.sides[pair]})
    value = _value(draft, candidates, group, people)
    _move(draft, dict.fromkeys(group, 0))
    _move(draft, _NeighbourhoodModel(draft, candidates, group, people).solve(before, seed, effort) or before)
    if _value(draft, candidates, group, people) < value:
        _move(draft, before)


def _value(
    draft: Draft, candidates: tuple[Candidate, ...], group: list[int], people: list[int]
) -> tuple[int, int, int, int, int, float]:
    """Return the objective's levels as far as these pairs and participants affect them; more is better."""
    placed = [candidates[pair].demand for pair in group if draft.slot[pair]]
    return (
        *demand_total(placed),
        -sum(draft.fill_rate(person).shortfall(draft.least) for person in people),
        sum(weight for person in people for rank, weight in _SHARES if draft.count[person] >= rank),
        sum(demand.score for demand in placed),
    )


def _weight(demand: Demand) -> int:
    """Return the weight of a placed meeting in the objective, except for fairness."""
    by_itself = _PRIORITY * demand.priority + _GOAL * demand.serves_goal
    return _PLACED + by_itself + _AFFINITY * round(999 * demand.score)


def _move(draft: Draft, slots: dict[int, SlotSet]) -> None:
    for pair in slots:
        if draft.slot[pair]:
            draft.remove(pair)
    for pair, slot in slots.items():
        if slot:
            draft.place(pair, slot)


class _NeighbourhoodModel:
    """A CP-SAT model of a group's pairs, which have no slot in the draft."""

    def __init__(self, draft: Draft, candidates: tuple[Candidate, ...], group: list[int], people: list[int]) -> None:
        self._draft = draft
        self._people = people
        self._model = cp_model.CpModel()
        self._in_slot = {
            (pair, slot): self._model.new_bool_var("") for pair in group for slot in bits(self._possible(pair))
        }
        self._met: defaultdict[int, list[cp_model.IntVar]] = defaultdict(list)
        self._add_rules()
        self._model.maximize(sum(self._placing(candidates) + self._least() + self._fairness()))

    def solve(self, before: dict[int, SlotSet], seed: int, effort: float) -> dict[int, SlotSet] | None:
        """Return the slots found by pair, or `None` if the effort did not suffice to find any."""
        for (pair, slot), var in self._in_slot.items():
            self._model.add_hint(var, before[pair] == slot)
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = seed
        solver.parameters.max_deterministic_time = effort
        if solver.solve(self._model) not in {cp_model.OPTIMAL, cp_model.FEASIBLE}:
            return None
        found = dict.fromkeys(before, 0)
        found.update({pair: slot for (pair, slot), var in self._in_slot.items() if solver.value(var)})
        return found

    def _possible(self, pair: int) -> SlotSet:
        draft = self._draft
        first, second = draft.sides[pair]
        free = draft.choices(pair) & ~(draft.busy[first] | draft.busy[second])
        tables = [draft.free_tables[zone_set] for zone_set in draft.zone_sets_of[pair]]
        return sum(slot for slot in bits(free) if all(by_slot[slot] for by_slot in tables))

    def _add_rules(self) -> None:
        draft = self._draft
        of_pair: defaultdict[int, list[cp_model.IntVar]] = defaultdict(list)
        of_person: defaultdict[tuple[int, SlotSet], list[cp_model.IntVar]] = defaultdict(list)
        at_tables: defaultdict[tuple[int, SlotSet], list[cp_model.IntVar]] = defaultdict(list)
        for (pair, slot), var in self._in_slot.items():
            of_pair[pair].append(var)
            for person in draft.sides[pair]:
                of_person[person, slot].append(var)
                self._met[person].append(var)
            for zone_set in draft.zone_sets_of[pair]:
                at_tables[zone_set, slot].append(var)
        for exclusive in (*of_pair.values(), *of_person.values()):
            self._model.add_at_most_one(exclusive)
        for (zone_set, slot), at_once in at_tables.items():
            if len(at_once) > draft.free_tables[zone_set][slot]:
                self._model.add(sum(at_once) <= draft.free_tables[zone_set][slot])
        if draft.quota is not None:
            for person, met in self._met.items():
                self._model.add(sum(met) <= max(0, draft.quota - draft.count[person]))

    def _placing(self, candidates: tuple[Candidate, ...]) -> list[cp_model.LinearExpr]:
        return [var * _weight(candidates[pair].demand) for (pair, _), var in self._in_slot.items()]

    def _least(self) -> list[cp_model.LinearExpr]:
        terms: list[cp_model.LinearExpr] = []
        for person in self._people:
            shortfall = self._draft.fill_rate(person).shortfall(self._draft.least)
            if shortfall and self._met[person]:
                gained = self._model.new_int_var(0, shortfall, "")
                self._model.add(gained <= sum(self._met[person]))
                terms.append(gained * _LEAST)
        return terms

    def _fairness(self) -> list[cp_model.LinearExpr]:
        terms: list[cp_model.LinearExpr] = []
        for person in self._people:
            for rank, weight in _SHARES:
                if self._draft.count[person] < rank:
                    reached = self._model.new_bool_var("")
                    self._model.add(sum(self._met[person]) + self._draft.count[person] >= rank).only_enforce_if(reached)
                    terms.append(reached * weight * _FAIRNESS)
        return terms
