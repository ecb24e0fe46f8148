"""MiniZinc as a peer on the B2B problem: `b2b.mzn` beside this file, with Gecode, Chuffed or another of its solvers."""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from bench.b2b.instance import B2bInstance, Schedule, breaks, violations

_MODEL = Path(__file__).with_name("b2b.mzn")
#: How a solver is told to search; each way has half of the seconds. Chuffed also takes turns with a search of its own.
_SEARCHES = {"gecode": ("BREAKS_FIRST", "NEIGHBOURHOODS")}
_SEARCHES_OF_ANY = ("BREAKS_FIRST", "ANY_SCHEDULE")
_FLAGS = {"chuffed": ("-f",)}
_PROVEN = {"OPTIMAL_SOLUTION", "UNSATISFIABLE"}
#: On a busy machine so many seconds may pass for one of CPU; then whatever has been found is the answer.
_MOST_WALL_PER_CPU = 20


class MiniZincUnavailable(Exception):
    """There is no `minizinc` here, or it does not know the solver, or cannot read our model; the message says which."""


class MiniZincAnswer(NamedTuple):
    """The last schedule that was said, and whether there is none better (or none at all)."""

    schedule: Schedule | None
    proven: bool


def check(solver: str) -> None:
    """See that MiniZinc is here and knows the solver.

    Raises:
        MiniZincUnavailable: it is not, or does not.
    """
    if shutil.which("minizinc") is None:
        raise MiniZincUnavailable("minizinc is not on the PATH")
    known = subprocess.run(["minizinc", "--solvers"], capture_output=True, text=True, check=False).stdout  # noqa: S607
    if solver.lower() not in known.lower():
        raise MiniZincUnavailable(f"minizinc knows no solver {solver}:\n{known}")


def solve(instance: B2bInstance, fairness: int, seconds: int, solver: str) -> dict[str, object]:
    """What it found and proved in so many seconds of CPU, on one core, as columns of a row.

    Raises:
        MiniZincUnavailable: it says that something is wrong with what it was given.
    """
    started, spent = time.perf_counter(), _cpu_seconds()
    answer = _answer(instance, fairness, seconds, solver)
    broken = answer.schedule is not None and violations(instance, answer.schedule, fairness)
    found = None if answer.schedule is None else sum(breaks(instance, answer.schedule))
    return {
        "minizinc_breaks": str(broken) if broken else found,
        "minizinc_proven": answer.proven and not broken,
        "minizinc_seconds": round(time.perf_counter() - started, 2),
        "minizinc_cpu_seconds": round(_cpu_seconds() - spent, 2),
    }


def _answer(instance: B2bInstance, fairness: int, seconds: int, solver: str) -> MiniZincAnswer:
    """What is proven; else the best of what its searches found."""
    searches = _SEARCHES.get(solver, _SEARCHES_OF_ANY)
    schedules: list[Schedule] = []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "instance.dzn")
        file.write_text("\n".join(data(instance, fairness)), encoding="ascii")
        for search in searches:
            answer = parse(_run(file, search, max(1, seconds // len(searches)), solver).splitlines())
            if answer.proven:
                return answer
            schedules += [answer.schedule] if answer.schedule else []
    return MiniZincAnswer(min(schedules, key=lambda each: sum(breaks(instance, each)), default=None), proven=False)


def data(instance: B2bInstance, fairness: int) -> Iterator[str]:
    """The instance as `b2b.mzn` has it, in lines of MiniZinc data: numbered from 1."""
    yield f"participants = {instance.participants}; slots = {instance.slots}; tables = {instance.tables};"
    yield f"meetings = {len(instance.meetings)}; fairness = {fairness};"
    yield f"one = {[meeting.one + 1 for meeting in instance.meetings]};"
    yield f"other = {[meeting.other + 1 for meeting in instance.meetings]};"
    allowed = (", ".join(str(slot + 1) for slot in meeting.slots) for meeting in instance.meetings)
    yield f"allowed = [{', '.join(f'{{{slots}}}' for slots in allowed)}];"
    yield f"earlier = {[earlier + 1 for earlier, _ in instance.precedences]};"
    yield f"later = {[later + 1 for _, later in instance.precedences]};"


def parse(lines: Iterable[str]) -> MiniZincAnswer:
    """What `minizinc --json-stream` says: a solution a line, each better than those before, and a status at the end.

    A line that was cut off when the time was up is not read.

    Raises:
        MiniZincUnavailable: it says that something is wrong.
    """
    schedule: Schedule | None = None
    proven = False
    for line in lines:
        match _message(line):
            case {"type": "solution", "output": {"default": str(text)}}:
                schedule = tuple(slot - 1 for slot in json.loads(text))
            case {"type": "status", "status": status}:
                proven = status in _PROVEN
            case {"type": "error", "message": message}:
                raise MiniZincUnavailable(f"minizinc: {message}")
    return MiniZincAnswer(schedule, proven)


def _message(line: str) -> object:
    try:
        return json.loads(line)
    except ValueError:
        return None


def _run(file: Path, search: str, seconds: int, solver: str) -> str:
    command = ["minizinc", "--solver", solver, *_FLAGS.get(solver, ())]
    command += ["--intermediate", "--json-stream", "-D", f"search={search};"]
    process = subprocess.Popen(  # noqa: S603 - our own command
        [*command, str(_MODEL), str(file)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    # Of each process: the one that translates the model needs few.
    resource.prlimit(process.pid, resource.RLIMIT_CPU, (seconds, seconds))
    try:
        return process.communicate(timeout=seconds * _MOST_WALL_PER_CPU)[0]
    except subprocess.TimeoutExpired:
        process.terminate()  # not killed: it ends the solver, which is a process of its own
        return process.communicate()[0]


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
