"""The B2B problem for MiniZinc: the model `b2b.mzn`, solved by Gecode, Chuffed or another of its solvers."""

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

from bench import BenchmarkError
from bench.b2b.instance import B2bInstance, Schedule, breaks, violations

_MODEL = Path(__file__).with_name("b2b.mzn")
#: Search strategies by solver; a strategy has half of the seconds. Chuffed alternates with a search of its own.
_SEARCHES = {"gecode": ("BREAKS_FIRST", "NEIGHBOURHOODS")}
_SEARCHES_OF_ANY = ("BREAKS_FIRST", "ANY_SCHEDULE")
_FLAGS = {"chuffed": ("-f",)}
_PROVEN = {"OPTIMAL_SOLUTION", "UNSATISFIABLE"}
#: Most wall-clock seconds per CPU second on a busy machine; after them the best schedule so far is the answer.
_MOST_WALL_PER_CPU = 20


class MiniZincUnavailable(BenchmarkError):
    """MiniZinc is not installed, has no such solver, or rejects the model. The message holds the reason."""


class MiniZincAnswer(NamedTuple):
    """The last schedule printed. `proven`: it is optimal, or there is none."""

    schedule: Schedule | None
    proven: bool


def check(solver: str) -> None:
    """Check that MiniZinc is installed and has the solver.

    Raises:
        MiniZincUnavailable: MiniZinc or the solver is missing.
    """
    if shutil.which("minizinc") is None:
        raise MiniZincUnavailable("minizinc is not on the PATH: install MiniZinc")
    known = subprocess.run(["minizinc", "--solvers"], capture_output=True, text=True, check=False).stdout  # noqa: S607
    if solver.lower() not in known.lower():
        raise MiniZincUnavailable(f"minizinc has no solver {solver!r}. Its solvers:\n{known}")


def solve(instance: B2bInstance, fairness: int, seconds: int, solver: str) -> dict[str, object]:
    """Solve within `seconds` of CPU on a single core. Return the columns of a row.

    Raises:
        MiniZincUnavailable: MiniZinc rejects the model or its data.
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
    """Return the first proven answer, else the best schedule of all searches."""
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
    return MiniZincAnswer(
        min(schedules, key=lambda schedule: sum(breaks(instance, schedule)), default=None), proven=False
    )


def data(instance: B2bInstance, fairness: int) -> Iterator[str]:
    """Yield the instance as lines of MiniZinc data for `b2b.mzn`, numbered from 1."""
    yield f"participants = {instance.participants}; slots = {instance.slots}; tables = {instance.tables};"
    yield f"meetings = {len(instance.meetings)}; fairness = {fairness};"
    yield f"one = {[meeting.first + 1 for meeting in instance.meetings]};"
    yield f"other = {[meeting.second + 1 for meeting in instance.meetings]};"
    allowed = (", ".join(str(slot + 1) for slot in meeting.slots) for meeting in instance.meetings)
    yield f"allowed = [{', '.join(f'{{{slots}}}' for slots in allowed)}];"
    yield f"earlier = {[earlier + 1 for earlier, _ in instance.precedences]};"
    yield f"later = {[later + 1 for _, later in instance.precedences]};"


def parse(lines: Iterable[str]) -> MiniZincAnswer:
    """Parse the output of `minizinc --json-stream`: a line per better solution, and a status at the end.

    A line cut off by the end of time is ignored.

    Raises:
        MiniZincUnavailable: the output holds an error.
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
    # The limit is per process; the process that translates the model needs few.
    resource.prlimit(process.pid, resource.RLIMIT_CPU, (seconds, seconds))
    try:
        return process.communicate(timeout=seconds * _MOST_WALL_PER_CPU)[0]
    except subprocess.TimeoutExpired:
        process.terminate()  # no SIGKILL: MiniZinc has to end the solver, which is a process of its own
        return process.communicate()[0]


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
