"""Large neighbourhoods: free the encounters of a few participants, leave all others, and let CP-SAT seat them best."""

from __future__ import annotations

import random
from collections import defaultdict

from ortools.sat.python import cp_model

from services.scheduler.domain.improvement.problem import Candidate
from services.scheduler.domain.objective.priority import Demand, demand_total
from services.scheduler.domain.timetable.timeline import SlotSet, bits
from services.scheduler.solver.draft import Draft

#: Encounters freed at once: what one worker solves in well under a second. Fewer stay short of the bound.
_MOST_FREED = 64
#: What a participant's first, second and third encounter are worth to fairness: the least served come first.
_SHARES = ((1, 4), (2, 2), (3, 1))
#: Levels of the objective, each above all that the levels below can add up to in one neighbourhood.
_AFFINITY = 1
_FAIRNESS = _AFFINITY * 1_000 * _MOST_FREED
_LEAST = _FAIRNESS * 7 * 2 * _MOST_FREED
_GOAL = _LEAST * (2 * _MOST_FREED + 1)
_PRIORITY = _GOAL * (_MOST_FREED + 1)
_PLACED = _PRIORITY * 3 * _MOST_FREED


def group_around(draft: Draft, person: int, chance: random.Random) -> list[int]:
    """Encounters of a participant, and of those met, and of those they meet, until there are enough."""
    chosen: dict[int, None] = {}
    seen, front = {person}, [person]
    while front:
        theirs = list(draft.pairs_of[front.pop(0)])
        chance.shuffle(theirs)
        for pair in theirs:
            if len(chosen) >= _MOST_FREED:
                return list(chosen)
            chosen[pair] = None
            new = [other for other in draft.sides[pair] if other not in seen]
            seen.update(new)
            front.extend(new)
    return list(chosen)


def reseat(draft: Draft, candidates: tuple[Candidate, ...], group: list[int], seed: int, effort: float) -> None:
    """Seat these encounters as well as can be found with `effort` (CP-SAT's deterministic time); never worse."""
    before = {pair: draft.slot[pair] for pair in group}
    people = sorted({person for pair in group for person in draft.sides[pair]})
    worth = _worth(draft, candidates, group, people)
    _move(draft, dict.fromkeys(group, 0))
    _move(draft, _Model(draft, candidates, group, people).solve(before, seed, effort) or before)
    if _worth(draft, candidates, group, people) < worth:
        _move(draft, before)


def _worth(
    draft: Draft, candidates: tuple[Candidate, ...], group: list[int], people: list[int]
) -> tuple[int, int, int, int, int, float]:
    """The levels of the objective as far as these encounters and participants go; more is better."""
    placed = [candidates[pair].demand for pair in group if draft.slot[pair]]
    return (
        *demand_total(placed),
        -sum(draft.served(person).shortfall(draft.least) for person in people),
        sum(worth for person in people for rank, worth in _SHARES if draft.count[person] >= rank),
        sum(each.score for each in placed),
    )


def _value(wish: Demand) -> int:
    """What a seat is worth to the objective, but for fairness."""
    by_itself = _PRIORITY * wish.priority + _GOAL * wish.serves_goal
    return _PLACED + by_itself + _AFFINITY * round(999 * wish.score)


def _move(draft: Draft, slots: dict[int, SlotSet]) -> None:
    for pair in slots:
        if draft.slot[pair]:
            draft.remove(pair)
    for pair, slot in slots.items():
        if slot:
            draft.place(pair, slot)


class _Model:
    """The encounters of a group, lifted from the draft, as a CP-SAT model."""

    def __init__(self, draft: Draft, candidates: tuple[Candidate, ...], group: list[int], people: list[int]) -> None:
        self._draft = draft
        self._people = people
        self._model = cp_model.CpModel()
        self._seats = {
            (pair, slot): self._model.new_bool_var("") for pair in group for slot in bits(self._possible(pair))
        }
        self._met: defaultdict[int, list[cp_model.IntVar]] = defaultdict(list)
        self._add_rules()
        self._model.maximize(sum(self._placing(candidates) + self._least() + self._fairness()))

    def solve(self, before: dict[int, SlotSet], seed: int, effort: float) -> dict[int, SlotSet] | None:
        """The slots found; `None` if the effort did not suffice to find any."""
        for (pair, slot), seat in self._seats.items():
            self._model.add_hint(seat, before[pair] == slot)
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = seed
        solver.parameters.max_deterministic_time = effort
        if solver.solve(self._model) not in {cp_model.OPTIMAL, cp_model.FEASIBLE}:
            return None
        found = dict.fromkeys(before, 0)
        found.update({pair: slot for (pair, slot), seat in self._seats.items() if solver.value(seat)})
        return found

    def _possible(self, pair: int) -> SlotSet:
        draft = self._draft
        one, other = draft.sides[pair]
        free = draft.choices(pair) & ~(draft.busy[one] | draft.busy[other])
        return sum(slot for slot in bits(free) if all(draft.room[room][slot] for room in draft.needs[pair]))

    def _add_rules(self) -> None:
        draft = self._draft
        of_pair: defaultdict[int, list[cp_model.IntVar]] = defaultdict(list)
        of_person: defaultdict[tuple[int, SlotSet], list[cp_model.IntVar]] = defaultdict(list)
        in_room: defaultdict[tuple[int, SlotSet], list[cp_model.IntVar]] = defaultdict(list)
        for (pair, slot), seat in self._seats.items():
            of_pair[pair].append(seat)
            for person in draft.sides[pair]:
                of_person[person, slot].append(seat)
                self._met[person].append(seat)
            for room in draft.needs[pair]:
                in_room[room, slot].append(seat)
        for seats in (*of_pair.values(), *of_person.values()):
            self._model.add_at_most_one(seats)
        for (room, slot), seats in in_room.items():
            if len(seats) > draft.room[room][slot]:
                self._model.add(sum(seats) <= draft.room[room][slot])
        if draft.quota is not None:
            for person, seats in self._met.items():
                self._model.add(sum(seats) <= max(0, draft.quota - draft.count[person]))

    def _placing(self, candidates: tuple[Candidate, ...]) -> list[cp_model.LinearExpr]:
        return [seat * _value(candidates[pair].demand) for (pair, _), seat in self._seats.items()]

    def _least(self) -> list[cp_model.LinearExpr]:
        terms: list[cp_model.LinearExpr] = []
        for person in self._people:
            missing = self._draft.served(person).shortfall(self._draft.least)
            if missing and self._met[person]:
                served = self._model.new_int_var(0, missing, "")
                self._model.add(served <= sum(self._met[person]))
                terms.append(served * _LEAST)
        return terms

    def _fairness(self) -> list[cp_model.LinearExpr]:
        terms: list[cp_model.LinearExpr] = []
        for person in self._people:
            for rank, worth in _SHARES:
                if self._draft.count[person] < rank:
                    served = self._model.new_bool_var("")
                    self._model.add(sum(self._met[person]) + self._draft.count[person] >= rank).only_enforce_if(served)
                    terms.append(served * worth * _FAIRNESS)
        return terms
