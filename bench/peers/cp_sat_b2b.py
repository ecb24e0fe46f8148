"""The B2B problem as a CP-SAT model: holes where they end, and a unary count with parity of who is busy in a slot."""

from __future__ import annotations

import time
from itertools import pairwise

from ortools.sat.python import cp_model

from bench.b2b.formula import TRUE, Formula
from bench.b2b.instance import B2bInstance, breaks, violations


def solve(instance: B2bInstance, fairness: int, seconds: float) -> dict[str, object]:
    """One worker, `optimize_with_core`, no linear relaxation; what it found and proved, as columns of a row."""
    started = time.perf_counter()
    model = cp_model.CpModel()
    starts = [{slot: model.new_bool_var("") for slot in meeting.slots} for meeting in instance.meetings]
    for each in starts:
        model.add_exactly_one(each.values())
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
        schedule = tuple(next(slot for slot, at in each.items() if solver.value(at)) for each in starts)
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
        holes = _holes(model, used)
        busy.append(used)
        counts.append(sum(holes))
        every += holes
    for slot in range(instance.slots):
        model.add(sum(each[slot] for each in starts if slot in each) <= instance.tables)
        _count(model, [used[slot] for used in busy], instance.tables)
    fewest = model.new_int_var(0, instance.slots, "")
    for count in counts:
        model.add(count >= fewest)
        model.add(count <= fewest + fairness)
    model.minimize(sum(every))


def _holes(model: cp_model.CpModel, used: list[cp_model.IntVar]) -> list[cp_model.IntVar]:
    """Of each slot but the first and the last, whether a hole ends there."""
    begun, holes = used[0], []
    for here, following in pairwise(used[1:]):
        hole, by_now = model.new_bool_var(""), model.new_bool_var("")
        model.add_bool_or([~begun, here, ~following, hole])
        for holds in (begun, ~here, following):
            model.add_implication(hole, holds)
        model.add_bool_or([begun, here, ~by_now])
        model.add_implication(begun, by_now)
        model.add_implication(here, by_now)
        begun = by_now
        holes.append(hole)
    return holes


def _count(model: cp_model.CpModel, used: list[cp_model.IntVar], tables: int) -> None:
    """At most two a table are busy, and an even number: on the outputs of a totalizer."""
    formula = Formula()
    inputs = [formula.fresh() for _ in used]
    outputs = formula.unary(inputs, 2 * tables)
    for odd, even in zip(outputs[::2], [*outputs[1::2], -TRUE], strict=False):
        formula.add(-odd, even)
    for too_many in outputs[2 * tables :]:
        formula.add(-too_many)
    literal = {each: model.new_bool_var("") for each in range(1, formula.variables + 1)} | dict(
        zip(inputs, used, strict=True)
    )
    for clause in formula.clauses:
        model.add_bool_or([literal[each] if each > 0 else ~literal[-each] for each in clause])
