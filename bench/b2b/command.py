"""The instances of the B2B benchmark, solved to proven optimality, beside CP-SAT's best configuration and MiniZinc."""

from __future__ import annotations

import resource
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from bench import BenchmarkError
from bench.b2b.instance import B2bInstance, Infeasible, violations
from bench.b2b.reader import read
from bench.b2b.solve import FAIRNESS, solve
from bench.peers import cp_sat_b2b, minizinc_b2b

Row = dict[str, object]

_PEER_SECONDS = 150.0
_SECONDS = 120.0
_MINIZINC_SECONDS = 60


class NoInstances(BenchmarkError):
    """`--data` is not a folder with `.dzn` files."""


def run(
    data: Path | None,
    fairness: str = str(FAIRNESS),
    seconds: str = str(_SECONDS),
    peer: str = "yes",
    minizinc: str = "no",
    minizinc_seconds: str = str(_MINIZINC_SECONDS),
) -> list[Row]:
    """Return a row per instance: `breaks` found, `bound` proven, and wall seconds to the proof and to the optimum.

    `seconds` limits an instance; `peer=no` leaves CP-SAT out. An infeasible instance has a `reason` and no breaks.
    CP-SAT is stopped after 150 s per instance: without a proof, it would need more than `peer_seconds`. `minizinc`
    names a solver of an installed MiniZinc, such as `gecode`, which runs for `minizinc_seconds` of CPU per instance.

    Raises:
        NoInstances: `data` holds no `.dzn` file.
        MiniZincUnavailable: MiniZinc was asked for and is not installed.
    """
    files = sorted(data.glob("*.dzn")) if data else []
    if not files:
        raise NoInstances(f"no .dzn file in {data or 'any folder'}: give --data FOLDER with the instances")
    if minizinc != "no":
        minizinc_b2b.check(minizinc)
    rows = []
    for file in files:
        row = _solved(file, int(fairness), float(seconds))
        if peer == "yes":
            row |= cp_sat_b2b.solve(read(file), int(fairness), _PEER_SECONDS)
        if minizinc != "no":
            row |= minizinc_b2b.solve(read(file), int(fairness), int(minizinc_seconds), minizinc)
        rows.append(row)
    Console(stderr=True).print(_summary(rows), highlight=False)
    return rows


def _solved(file: Path, fairness: int, seconds: float) -> Row:
    started, spent = time.perf_counter(), _cpu_seconds()
    instance = read(file)
    reading = time.perf_counter() - started
    answer = _answer(instance, fairness, seconds, reading)
    return {
        "instance": file.stem.removesuffix(".original"),
        **{column: answer[column] for column in ("breaks", "bound", "proven")},
        "seconds": round(time.perf_counter() - started, 2),
        "cpu_seconds": round(_cpu_seconds() - spent, 2),
        **answer,
    }


def _answer(instance: B2bInstance, fairness: int, seconds: float, reading: float) -> Row:
    try:
        solved = solve(instance, fairness, seconds)
    except Infeasible as infeasible:
        return {"breaks": None, "bound": None, "proven": True, "seconds_to_best": None, "reason": str(infeasible)}
    broken = solved.schedule is not None and violations(instance, solved.schedule, fairness)
    return {
        "breaks": str(broken) if broken else solved.breaks,
        "bound": solved.bound,
        "proven": solved.proven and not broken,
        "seconds_to_best": round(solved.seconds_to_best + reading, 2),
    }


def _cpu_seconds() -> float:
    """Return the CPU seconds of this process and of its ended children."""
    used = (resource.getrusage(scope) for scope in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def _summary(rows: Sequence[Row]) -> str:
    text = f"{_count(rows, 'proven')} of {len(rows)} proven; {_sum(rows, 'seconds'):.1f} s, the longest "
    text += f"{max(_number(row, 'seconds') for row in rows):.1f} s; {_sum(rows, 'cpu_seconds'):.1f} CPU s"
    if "peer_seconds" in rows[0]:
        proven = _count(rows, "peer_proven")
        text += f"; CP-SAT: {proven} proven, {_sum(rows, 'peer_seconds'):.1f} s"
        text += f", {len(rows) - proven} stopped after {_PEER_SECONDS:.0f} s" if proven < len(rows) else ""
    if "minizinc_breaks" in rows[0]:
        reached = sum(row["minizinc_breaks"] == row["breaks"] for row in rows)
        text += f"; MiniZinc: {_count(rows, 'minizinc_proven')} proven, as few breaks in {reached}"
        text += f", {_sum(rows, 'minizinc_cpu_seconds'):.1f} CPU s"
    return text


def _count(rows: Sequence[Row], column: str) -> int:
    return sum(bool(row[column]) for row in rows)


def _sum(rows: Sequence[Row], column: str) -> float:
    return sum(_number(row, column) for row in rows)


def _number(row: Row, column: str) -> float:
    value = row[column]
    return value if isinstance(value, float) else 0.0
