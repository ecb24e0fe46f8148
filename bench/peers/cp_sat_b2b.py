"""The B2B problem as a CP-SAT model: breaks at their last slot, and a unary count of busy participants per slot."""

from __future__ import annotations

import time
from itertools import pairwise

from ortools.sat.python import cp_model

from bench.b2b.formula import TRUE, Formula
from bench.b2b.instance import B2bInstance, breaks, violations


def solve(instance: B2bInstance, fairness: int, seconds: float) -> dict[str, object]:
    """Solve with a single worker, `optimize_with_core` and no linear relaxation. Return the columns of a row."""
    started = time.perf_counter()
    model = cp_model.CpModel()
    starts = [{slot: model.new_bool_var("") for slot in meeting.slots} for meeting in instance.meetings]
    for literals in starts:
        model.add_exactly_one(literals.values())
    _add_breaks_and_tables(model, instance, starts, fairness)
    for earlier, later in instance.precedences:
        model.add(_slot(starts[earlier]) < _slot(starts[later]))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.optimize_with_core = True
    solver.parameters.linearization_level = 0
    solver.parameters.max_time_in_seconds = seconds
    status = solver.solve(model)
    row: dict[str, object] = {"peer_breaks": None, "peer_bound": None}
    if status in {cp_model.OPTIMAL, cp_model.FEASIBLE}:
        schedule = tuple(
            next(slot for slot, literal in literals.items() if solver.value(literal)) for literals in starts
        )
        broken = violations(instance, schedule, fairness)
        row = {
            "peer_breaks": str(broken) if broken else sum(breaks(instance, schedule)),
            "peer_bound": round(solver.best_objective_bound),
        }
    proven = status in {cp_model.OPTIMAL, cp_model.INFEASIBLE}
    return row | {"peer_proven": proven, "peer_seconds": round(time.perf_counter() - started, 2)}


def _slot(starts: dict[int, cp_model.IntVar]) -> cp_model.LinearExprT:
    return sum(slot * at for slot, at in starts.items())


def _add_breaks_and_tables(
    model: cp_model.CpModel, instance: B2bInstance, starts: list[dict[int, cp_model.IntVar]], fairness: int
) -> None:
    busy, counts, every = [], [], []
    for numbers in instance.meetings_of:
        used = [model.new_bool_var("") for _ in range(instance.slots)]
        for slot, here in enumerate(used):
            model.add_exactly_one([~here, *(starts[number][slot] for number in numbers if slot in starts[number])])
        model.add(sum(used) == len(numbers))
        found = _breaks_of(model, used)
        busy.append(used)
        counts.append(sum(found))
        every += found
    for slot in range(instance.slots):
        model.add(sum(literals[slot] for literals in starts if slot in literals) <= instance.tables)
        _count(model, [used[slot] for used in busy], instance.tables)
    fewest = model.new_int_var(0, instance.slots, "")
    for count in counts:
        model.add(count >= fewest)
        model.add(count <= fewest + fairness)
    model.minimize(sum(every))


def _breaks_of(model: cp_model.CpModel, used: list[cp_model.IntVar]) -> list[cp_model.IntVar]:
    """Return a literal per inner slot for a break that ends there."""
    begun, found = used[0], []
    for here, following in pairwise(used[1:]):
        is_break, by_now = model.new_bool_var(""), model.new_bool_var("")
        model.add_bool_or([~begun, here, ~following, is_break])
        for holds in (begun, ~here, following):
            model.add_implication(is_break, holds)
        model.add_bool_or([begun, here, ~by_now])
        model.add_implication(begun, by_now)
        model.add_implication(here, by_now)
        begun = by_now
        found.append(is_break)
    return found


def _count(model: cp_model.CpModel, used: list[cp_model.IntVar], tables: int) -> None:
    """Require an even number of busy participants, at most two per table, on the outputs of a totalizer."""
    formula = Formula()
    inputs = [formula.fresh() for _ in used]
    outputs = formula.unary(inputs, 2 * tables)
    for odd, even in zip(outputs[::2], [*outputs[1::2], -TRUE], strict=False):
        formula.add(-odd, even)
    for too_many in outputs[2 * tables :]:
        formula.add(-too_many)
    literal = {variable: model.new_bool_var("") for variable in range(1, formula.variables + 1)} | dict(
        zip(inputs, used, strict=True)
    )
    for clause in formula.clauses:
        model.add_bool_or([literal[signed] if signed > 0 else ~literal[-signed] for signed in clause])
