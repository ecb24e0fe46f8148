"""Late changes to a published edition: latencies, moved encounters, and placed encounters beside the proven bound.

A change is inserted or repaired, and verified (`p50_ms`, `p99_ms`); then the changed agendas are published
(`told_p99_ms`, from the start). Rows: latencies by size of edition and, at ITECAM's size, by kind of change. Then
moves per change of a sample, beside the proven fewest, a full CP-SAT re-solve and a greedy agenda. Then placed
encounters beside the proven bound.
"""

from __future__ import annotations

import multiprocessing
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from bench.instances.agendas import agenda_of
from bench.instances.editions import ITECAM, TEN_THOUSAND, THOUSAND, WHEN, Size, SyntheticEdition, synthetic
from bench.instances.stream import late_changes, published
from services.scheduler.aggregate import announcing, publishing
from services.scheduler.domain.decide import apply_event
from services.scheduler.domain.decision import DecisionInProgress
from services.scheduler.domain.improvement.problem import SolverProblem, problem_of
from services.scheduler.domain.timetable.placement import find_assignment
from services.scheduler.domain.timetable.timeline import SlotSet
from services.scheduler.domain.timetable.verifier import verify
from services.scheduler.domain.verification import inputs_of, verify_touched
from services.scheduler.solver.bound import placement_bound
from services.scheduler.solver.fewest_moves import fewest_moves
from shared.contract.events import Event

Table = list[dict[str, object]]

_SEED = 2018
_SIZES = (ITECAM, THOUSAND, TEN_THOUSAND)
#: Every change is verified, and the whole agenda rarely, since that takes half a minute at 10,000.
_VERIFY_EVERY = 2_500
#: At ITECAM's size, every 50th change is compared with the exact repair, and every 40th of these with a re-solve.
_COMPARE_EVERY, _RESOLVE_EVERY = 50, 40
_EXACT_EFFORT = 20.0


class Spent(NamedTuple):
    """Seconds of a change: until it was verified, by the clock and of CPU, and until the agendas were published."""

    wall: float
    cpu: float
    published: float


def run(
    data: Path | None,  # noqa: ARG001 - every benchmark is offered the data
    people: str = "350,1000,10000",
    changes: str = "10000",
) -> Table:
    """Return the rows. A size runs in a process of its own, so that its memory is measured alone."""
    rows: Table = []
    wanted = [size for size in _SIZES if str(size.people) in people.split(",")]
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        for size in wanted:
            rows += pool.apply(stream, (size, int(changes)))
    return rows


def stream(size: Size, count: int) -> Table:
    """Return the rows of a size."""
    subject = PublishedEdition(synthetic(size, _SEED))
    times: defaultdict[str, list[Spent]] = defaultdict(list)
    comparison = Comparison()
    violations = 0
    for number, (kind, event) in enumerate(late_changes(subject.instance, count), start=1):
        is_compared = size == ITECAM and number % _COMPARE_EVERY == 0
        before = subject.slots_without_move() if is_compared else {}
        times[kind].append(subject.apply(event))
        if is_compared:
            comparison.add(subject, before)
        if number % _VERIFY_EVERY == 0 or number == count:
            violations += len(verify(inputs_of(subject.state), subject.state.placements))
    head = {"people": size.people, "encounters": len(subject.state.placements), "changes": count}
    spent = [seconds for of_kind in times.values() for seconds in of_kind]
    rows: Table = [
        {"measure": f"change, {size.name}", **head, **latencies(spent), **subject.memory(), "violations": violations}
    ]
    if size == ITECAM:
        rows += [
            {"measure": f"  {kind}", "changes": len(of_kind), **latencies(of_kind)}
            for kind, of_kind in sorted(times.items())
        ]
        rows += comparison.rows()
    return [*rows, subject.optimality()]


class PublishedEdition:
    """A published edition, and the scheduler's state of it."""

    def __init__(self, instance: SyntheticEdition) -> None:
        self.instance = instance
        before = resident_bytes()
        self.state = agenda_of((*instance.events, published(instance)))
        announcing(self.state, WHEN)
        self._publish()
        self._bytes = resident_bytes() - before

    def apply(self, event: Event) -> Spent:
        """Decide on an event as the aggregate does, and publish its consequences."""
        started, cpu = time.perf_counter(), time.thread_time()
        decision = DecisionInProgress(self.state, WHEN)
        apply_event(decision, event)
        verify_touched(decision)
        wall, cpu = time.perf_counter() - started, time.thread_time() - cpu
        self._publish()
        return Spent(wall, cpu, time.perf_counter() - started)

    def slots(self) -> dict[str, SlotSet]:
        """Return the slots of the placed pairs."""
        return {pair: assignment.slots for pair, (_, assignment) in self.state.board.placed.items()}

    def slots_without_move(self) -> dict[str, SlotSet]:
        """Return, by pair, the slots in which a later encounter has not moved: its present and its settled slot."""
        slots, state = self.slots(), self.state
        for pair_id, settled in state.unsettled.items():
            if settled.place is not None and pair_id in slots:
                slots[pair_id] |= state.assignment(settled.place).slots
        return slots

    def problem(self) -> SolverProblem:
        """Return the edition as a problem for the solvers."""
        return problem_of(self.state, WHEN, change_budget=0)

    def memory(self) -> dict[str, object]:
        """Return the memory of the state with its indexes."""
        return {"kB_a_person": round(self._bytes / 1024 / self.instance.size.people, 1)}

    def optimality(self) -> dict[str, object]:
        """Return the encounters placed at the end of the stream, beside the upper bound."""
        placed, most = len(self.state.placements), placement_bound(self.problem())
        gap = f"{100 * (most - placed) / max(most, 1):.2f} %"
        name = f"placed after it, {self.instance.size.name}"
        return {
            "measure": name,
            "placed": placed,
            "placement_bound": most,
            "gap": gap,
            "waiting": len(self.state.waiting),
        }

    def _publish(self) -> None:
        while self.state.unpublished_pairs or self.state.unpublished_participants:
            publishing(self.state, WHEN)


class Comparison:
    """Moves of a sample of changes: by our insertion, the proven fewest, a full re-solve, and greedy from scratch."""

    def __init__(self) -> None:
        self._moves: defaultdict[str, list[int]] = defaultdict(list)
        self._placed: defaultdict[str, list[int]] = defaultdict(list)
        self._seconds: defaultdict[str, list[float]] = defaultdict(list)
        self._unproven = 0
        self._at_least = 0

    def add(self, subject: PublishedEdition, before: dict[str, SlotSet]) -> None:
        """Compare a change. `before` maps pairs to the slots that are no move."""
        ours, problem = subject.slots(), subject.problem()
        self._record("insert (ours)", before, ours)
        exact = fewest_moves(problem, before, ours, _EXACT_EFFORT)
        self._unproven += not exact.proven
        self._at_least += exact.at_least
        self._record("fewest found", before, exact.slots, exact.seconds)
        self._record("greedy from scratch", before, greedy(problem))
        if len(self._moves["fewest found"]) % _RESOLVE_EVERY == 1:
            cold = fewest_moves(problem, before, {}, _EXACT_EFFORT, moves_count=False)
            self._record("CP-SAT re-solve", before, cold.slots, cold.seconds)

    def rows(self) -> Table:
        """Return a row per engine. `to_fewest` divides by a lower bound of the fewest moves."""
        sampled = len(self._moves["fewest found"])
        return [
            {
                "measure": f"moves, {engine}",
                "changes": len(moves),
                "moves_a_change": round(sum(moves) / len(moves), 3),
                "to_fewest": round(sum(moves) / max(self._at_least, 1), 3) if len(moves) == sampled else "",
                "placed": round(sum(self._placed[engine]) / len(moves), 1),
                "seconds": round(sum(self._seconds[engine]) / len(moves), 2) if engine in self._seconds else "",
                **({"unproven": self._unproven} if engine == "fewest found" else {}),
            }
            for engine, moves in self._moves.items()
        ]

    def _record(
        self, engine: str, before: Mapping[str, SlotSet], after: Mapping[str, SlotSet], seconds: float | None = None
    ) -> None:
        self._moves[engine].append(sum(not before.get(pair, slot) & slot for pair, slot in after.items()))
        self._placed[engine].append(len(after))
        if seconds is not None:
            self._seconds[engine].append(seconds)


def greedy(problem: SolverProblem) -> dict[str, SlotSet]:
    """Place all encounters on an empty board by first fit, the most wanted first."""
    board = problem.board()
    most_wanted_first = sorted(
        problem.candidates, key=lambda candidate: (*candidate.demand.rank, -candidate.demand.score)
    )
    for candidate in most_wanted_first:
        assignment, _ = find_assignment(board, candidate.meeting, problem.open_slots)
        if assignment is not None:
            board.place(candidate.meeting, assignment)
    return {pair: assignment.slots for pair, (_, assignment) in board.placed.items()}


def latencies(spent: Sequence[Spent]) -> dict[str, object]:
    """Return median, 99th percentile and maximum in milliseconds, by the clock and of CPU."""
    wall, cpu, published_after = (sorted(column) for column in zip(*spent, strict=True))
    middle, slow = (min(len(wall) - 1, len(wall) * share // 100) for share in (50, 99))
    return {
        "p50_ms": round(wall[middle] * 1000, 2),
        "p99_ms": round(wall[slow] * 1000, 2),
        "max_ms": round(wall[-1] * 1000, 1),
        "cpu_p50_ms": round(cpu[middle] * 1000, 2),
        "cpu_p99_ms": round(cpu[slow] * 1000, 2),
        "told_p50_ms": round(published_after[middle] * 1000, 2),
        "told_p99_ms": round(published_after[slow] * 1000, 2),
    }


def resident_bytes() -> int:
    """Return the resident memory of this process (Linux)."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096
