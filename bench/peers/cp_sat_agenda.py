"""A full re-solve by CP-SAT: the whole agenda as a model, placed encounters before breaks, with a greedy hint."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence

from ortools.sat.python import cp_model

from services.scheduler.domain.timetable.timeline import SlotSet, bits
from services.scheduler.solver.draft import Draft

#: Weight of a placed encounter: more than all breaks of any edition that CP-SAT can solve.
_PLACED = 100_000


def improve(draft: Draft, seconds: float) -> Iterator[tuple[float, list[SlotSet]]]:
    """Yield every better agenda: seconds since the start, and the slots of the encounters, 0 for waiting."""
    began = time.perf_counter()
    model = _AgendaModel(draft)
    recorder = _Recorder(model, began)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.max_time_in_seconds = max(0.1, seconds - (time.perf_counter() - began))
    solver.solve(model.model, recorder)
    yield from recorder.found


class _AgendaModel:
    """Literals for the slots of all encounters, and for the beginnings of breaks."""

    def __init__(self, draft: Draft) -> None:
        self.model = cp_model.CpModel()
        self.draft = draft
        self.choices = {
            (pair, slot): self._literal() for pair in range(len(draft.pairs)) for slot in self._possible_slots(pair)
        }
        self._met: defaultdict[tuple[int, SlotSet], list[cp_model.IntVar]] = defaultdict(list)
        self._add_rules()
        breaks = [begin for person in range(len(draft.busy)) for begin in self._breaks(person)]
        self.model.maximize(_PLACED * sum(self.choices.values()) - sum(breaks))
        for (pair, slot), literal in self.choices.items():
            self.model.add_hint(literal, draft.slot[pair] == slot)

    def _literal(self) -> cp_model.IntVar:
        return self.model.new_bool_var("")

    def _possible_slots(self, pair: int) -> Iterator[SlotSet]:
        return bits(self.draft.common(pair))

    def _add_rules(self) -> None:
        of_pair: defaultdict[int, list[cp_model.IntVar]] = defaultdict(list)
        in_room: defaultdict[tuple[int, SlotSet], list[cp_model.IntVar]] = defaultdict(list)
        taken: defaultdict[tuple[int, SlotSet], int] = defaultdict(int)
        for (pair, slot), literal in self.choices.items():
            of_pair[pair].append(literal)
            for person in self.draft.sides[pair]:
                self._met[person, slot].append(literal)
            for room in self.draft.zone_sets_of[pair]:
                in_room[room, slot].append(literal)
                taken[room, slot] += self.draft.slot[pair] == slot
        for literals in (*of_pair.values(), *self._met.values()):
            self.model.add_at_most_one(literals)
        for (room, slot), literals in in_room.items():
            tables = self.draft.free_tables[room][slot] + taken[room, slot]
            if len(literals) > tables:
                self.model.add(sum(literals) <= tables)

    def _breaks(self, person: int) -> Iterator[cp_model.IntVar]:
        """Yield a literal per slot for a break that begins there: idle, busy before, and encounters on both sides."""
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
        """Return a literal per slot for an encounter up to that slot."""
        steps = [self._literal() for _ in met]
        for at, step in enumerate(steps):
            self.model.add(step >= met[at])
            if at:
                self.model.add_implication(steps[at - 1], step)
        return steps


class _Recorder(cp_model.CpSolverSolutionCallback):
    """Records every better agenda with its time."""

    def __init__(self, model: _AgendaModel, began: float) -> None:
        super().__init__()
        self._model, self._began = model, began
        self.found: list[tuple[float, list[SlotSet]]] = []

    def on_solution_callback(self) -> None:
        slots = [0] * len(self._model.draft.pairs)
        for (pair, slot), literal in self._model.choices.items():
            if self.value(literal):
                slots[pair] = slot
        self.found.append((time.perf_counter() - self._began, slots))
