"""The full re-solve as a peer: the whole agenda as one CP-SAT model, placed first, then breaks; seeded from greedy."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence

from ortools.sat.python import cp_model

from services.scheduler.domain.timetable.timeline import SlotSet, bits
from services.scheduler.solver.draft import Draft

#: One encounter placed is worth more than all breaks of any edition that CP-SAT can solve.
_PLACED = 100_000


def improve(draft: Draft, seconds: float) -> Iterator[tuple[float, list[SlotSet]]]:
    """Each better agenda: the seconds since building began, and the slot of each encounter, 0 if it waits."""
    began = time.perf_counter()
    model = _AgendaModel(draft)
    notes = _Notes(model, began)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.max_time_in_seconds = max(0.1, seconds - (time.perf_counter() - began))
    solver.solve(model.model, notes)
    yield from notes.found


class _AgendaModel:
    """Seats for all encounters, and a literal for the beginning of each break."""

    def __init__(self, draft: Draft) -> None:
        self.model = cp_model.CpModel()
        self.draft = draft
        self.seats = {(pair, slot): self._literal() for pair in range(len(draft.pairs)) for slot in self._choices(pair)}
        self._met: defaultdict[tuple[int, SlotSet], list[cp_model.IntVar]] = defaultdict(list)
        self._add_rules()
        breaks = [begin for person in range(len(draft.busy)) for begin in self._breaks(person)]
        self.model.maximize(_PLACED * sum(self.seats.values()) - sum(breaks))
        for (pair, slot), seat in self.seats.items():
            self.model.add_hint(seat, draft.slot[pair] == slot)

    def _literal(self) -> cp_model.IntVar:
        return self.model.new_bool_var("")

    def _choices(self, pair: int) -> Iterator[SlotSet]:
        return bits(self.draft.common(pair))

    def _add_rules(self) -> None:
        of_pair: defaultdict[int, list[cp_model.IntVar]] = defaultdict(list)
        in_room: defaultdict[tuple[int, SlotSet], list[cp_model.IntVar]] = defaultdict(list)
        taken: defaultdict[tuple[int, SlotSet], int] = defaultdict(int)
        for (pair, slot), seat in self.seats.items():
            of_pair[pair].append(seat)
            for person in self.draft.sides[pair]:
                self._met[person, slot].append(seat)
            for room in self.draft.needs[pair]:
                in_room[room, slot].append(seat)
                taken[room, slot] += self.draft.slot[pair] == slot
        for seats in (*of_pair.values(), *self._met.values()):
            self.model.add_at_most_one(seats)
        for (room, slot), seats in in_room.items():
            tables = self.draft.room[room][slot] + taken[room, slot]
            if len(seats) > tables:
                self.model.add(sum(seats) <= tables)

    def _breaks(self, person: int) -> Iterator[cp_model.IntVar]:
        """For each slot, whether a break of the participant begins there: idle, not idle before, met both sides."""
        for day in self.draft.days:
            slots = list(bits(day))
            met = [sum(self._met[person, slot]) if self._met[person, slot] else 0 for slot in slots]
            before, after = self._ladder(met), self._ladder(met[::-1])[::-1]
            for at in range(1, len(slots) - 1):
                is_idle = 0 if self.draft.attending[person] & slots[at] else 1 - met[at]
                was_active = 1 if self.draft.attending[person] & slots[at - 1] else met[at - 1]
                if isinstance(is_idle, int) and not is_idle:
                    continue
                begins = self._literal()
                self.model.add(begins >= before[at - 1] + after[at + 1] + is_idle + was_active - 3)
                yield begins

    def _ladder(self, met: Sequence[cp_model.LinearExprT]) -> list[cp_model.IntVar]:
        """Whether there was an encounter up to each slot."""
        steps = [self._literal() for _ in met]
        for at, step in enumerate(steps):
            self.model.add(step >= met[at])
            if at:
                self.model.add_implication(steps[at - 1], step)
        return steps


class _Notes(cp_model.CpSolverSolutionCallback):
    """Notes each better agenda, and when it was found."""

    def __init__(self, model: _AgendaModel, began: float) -> None:
        super().__init__()
        self._model, self._began = model, began
        self.found: list[tuple[float, list[SlotSet]]] = []

    def on_solution_callback(self) -> None:
        slots = [0] * len(self._model.draft.pairs)
        for (pair, slot), seat in self._model.seats.items():
            if self.value(seat):
                slots[pair] = slot
        self.found.append((time.perf_counter() - self._began, slots))
