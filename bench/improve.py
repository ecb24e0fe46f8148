"""Quality per second: placed encounters and breaks over time, beside Timefold and a CP-SAT re-solve, on a core each.

All engines begin with the same greedy agenda, with every encounter at the best slot left. `--large yes` adds an
edition of 2,000 people.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection
from pathlib import Path

from bench.instances.agendas import agenda_of
from bench.instances.editions import ITECAM, THOUSAND, WHEN, Size, synthetic
from bench.peers import cp_sat_agenda, timefold
from services.scheduler.domain.improvement.problem import Solution, SolverProblem, problem_of
from services.scheduler.domain.timetable.board import Assignment
from services.scheduler.domain.timetable.breaks import Breaks, breaks_in
from services.scheduler.domain.timetable.timeline import SlotSet
from services.scheduler.solver.bound import placement_bound
from services.scheduler.solver.construct import construct
from services.scheduler.solver.draft import Draft
from services.scheduler.solver.effort import Effort
from services.scheduler.solver.fewest_breaks import fewest_breaks
from services.scheduler.solver.improve import improve
from services.scheduler.solver.polish import warm_up

Table = list[dict[str, object]]
Found = Iterator[tuple[float, list[SlotSet]]]

_SIZES = (ITECAM, THOUSAND)
_LARGE = Size("2,000", 1_200, 2_000, 6_000, 28, 268)
_MARKS = (1, 2, 5, 10, 30)
_SEED = 1
#: More steps than the time allows: the process is killed at the last mark.
_UNTIL_ENDED = Effort(seed=_SEED, steps=10**9, most_steps=10**9)


def run(data: Path | None, large: str = "no") -> Table:  # noqa: ARG001 - every benchmark is offered the data
    """Return the rows: size, engine, seconds; encounters placed, wanted and possible; breaks and their slots."""
    return [row for size in (*_SIZES, *([_LARGE] if large == "yes" else [])) for row in _rows(size)]


def _rows(size: Size) -> Iterator[dict[str, object]]:
    problem = problem_of(agenda_of(synthetic(size, _SEED).events), WHEN, change_budget=0)
    draft = _greedy(problem)
    most, fewest = placement_bound(problem), fewest_breaks(draft)
    engines: dict[str, Callable[[], Found]] = {
        "tertulia": lambda: _ours(problem),
        "timefold": lambda: timefold.improve(draft, _MARKS[-1]),
        "cp-sat": lambda: cp_sat_agenda.improve(draft, _MARKS[-1]),
    }
    for name, engine in engines.items():
        try:
            found = [(0.0, list(draft.slot)), *engine()]
        except timefold.TimefoldUnavailable as missing:
            yield {"size": size.name, "engine": name, "placed": str(missing)}
            continue
        for mark in _MARKS:
            slots = [slots for seconds, slots in found if seconds <= mark][-1]
            breaks = _breaks(problem, draft, slots)
            yield {
                "size": size.name,
                "engine": name,
                "seconds": mark,
                "wanted": len(draft.pairs),
                "placed": sum(map(bool, slots)),
                "most": most,
                "breaks": breaks.number,
                "fewest": fewest,
                "break_slots": breaks.slots,
                "longest": breaks.longest,
            }


def _greedy(problem: SolverProblem) -> Draft:
    draft, board = Draft(problem), construct(problem, 0, _SEED)
    for number, meeting in enumerate(draft.pairs):
        if meeting.pair_id in board.placed:
            draft.place(number, board.placed[meeting.pair_id][1].slots)
    return draft


def _breaks(problem: SolverProblem, draft: Draft, slots: Sequence[SlotSet]) -> Breaks:
    assignments = {
        meeting.participant_ids: Assignment(slot, "", "")
        for meeting, slot in zip(draft.pairs, slots, strict=True)
        if slot
    }
    return breaks_in(assignments, problem.hours, problem.all_slots, problem.days)


def _ours(problem: SolverProblem) -> Found:
    """Run the service's worker: warm, reporting its solutions, killed at the end."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=_improve, args=(theirs, problem), daemon=True)
    process.start()
    ours.recv()
    began = time.perf_counter()
    while ours.poll(max(0.0, began + _MARKS[-1] - time.perf_counter())):
        solution: Solution = ours.recv()
        assignments = solution.assignments
        pairs = [candidate.meeting.pair_id for candidate in problem.candidates]
        slots = [assignments[pair].slots if pair in assignments else 0 for pair in pairs]
        yield time.perf_counter() - began, slots
    process.kill()
    process.join()


def _improve(pipe: Connection, problem: SolverProblem) -> None:
    warm_up()
    pipe.send("warm")
    improve(problem, _UNTIL_ENDED, pipe.send)
