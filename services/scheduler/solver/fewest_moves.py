"""A proof: the fewest meetings that had to move after a change of the inputs, with as many placed as possible.

The whole edition is a single CP-SAT model over slots, exact up to about ITECAM's size. It shares no code with
placement.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace

from ortools.sat.python import cp_model

from services.scheduler.domain.improvement.problem import SolverProblem
from services.scheduler.domain.timetable.board import Board, Meeting
from services.scheduler.domain.timetable.rules import all_available, outside_attended_sessions
from services.scheduler.domain.timetable.timeline import SlotSet, bits
from services.scheduler.solver.bound import placement_bound

_FOUND = {cp_model.OPTIMAL, cp_model.FEASIBLE}


@dataclass(frozen=True)
class Repair:
    """A repaired agenda: the number of placed meetings, and of meetings in another slot than before.

    It is optimal where `proven`. Otherwise `at_least` is a lower bound on the moves of any repair that places as many
    meetings.
    """

    placed: int
    moves: int
    at_least: int
    slots: Mapping[str, SlotSet]
    proven: bool
    seconds: float


def fewest_moves(
    problem: SolverProblem,
    before: Mapping[str, SlotSet],
    hint: Mapping[str, SlotSet],
    effort: float,
    *,
    moves_count: bool = True,
) -> Repair:
    """Place as many meetings as possible, then move as few as possible of the meetings in `before`.

    Args:
        problem: the edition after the change.
        before: by pair, the slots that are no move: the slot before the change, and the settled slot.
        hint: a repair to begin with, by pair.
        effort: CP-SAT's deterministic time, roughly seconds.
        moves_count: whether moves cost anything. If not, the result shows a solver without regard for moves.
    """
    most = placement_bound(problem)
    forced = _forced(problem, before, most)
    given = _repair(problem, before, hint)
    if moves_count and given.placed >= most and given.moves <= forced:
        return replace(given, at_least=given.moves, proven=True)
    model = _RepairModel(problem)
    moved = (var for (pair_id, slot), var in model.in_slot.items() if not before.get(pair_id, slot) & slot)
    moves = sum(moved, start=0)
    placed = sum(model.in_slot.values(), start=0)
    weight = len(before) + 1
    model.cp.maximize(weight * placed - moves if moves_count else placed)
    if moves_count and given.placed >= most:
        # The hint places as many as possible. The question left is whether fewer moves suffice; most meetings stay.
        model.cp.add(placed >= len(hint.keys() - problem.fixed.keys()))
        model.cp.add(moves <= given.moves)
        model.cp.add(moves >= forced)
    for (pair_id, slot), var in model.in_slot.items():
        model.cp.add_hint(var, hint.get(pair_id) == slot)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.max_deterministic_time = effort
    status = solver.solve(model.cp)
    if status not in _FOUND:
        known = forced if moves_count and given.placed >= most else 0
        return replace(given, at_least=known, seconds=solver.wall_time)
    found = {pair_id: slot for (pair_id, slot), var in model.in_slot.items() if solver.value(var)}
    repair = replace(_repair(problem, before, found), seconds=solver.wall_time)
    if status == cp_model.OPTIMAL:
        return replace(repair, at_least=repair.moves if moves_count else 0, proven=True)
    if repair.placed < most or not moves_count:
        return repair
    refuted = weight * (repair.placed - len(problem.fixed)) - math.floor(solver.best_objective_bound)
    return replace(repair, at_least=max(forced, refuted))


def _repair(problem: SolverProblem, before: Mapping[str, SlotSet], slots: Mapping[str, SlotSet]) -> Repair:
    fixed = {pair_id: assignment.slots for pair_id, (_, assignment) in problem.fixed.items()}
    after = {**slots, **fixed}
    moves = sum(not before.get(pair_id, slot) & slot for pair_id, slot in after.items())
    return Repair(len(after), moves, at_least=0, slots=after, proven=False, seconds=0.0)


def _forced(problem: SolverProblem, before: Mapping[str, SlotSet], most: int) -> int:
    """Return a lower bound on the moves of any repair that places `most` meetings.

    It counts the placeable meetings that cannot stay, less the meetings that are left out.
    """
    board = problem.board()
    meetings = [candidate.meeting for candidate in problem.candidates]
    possible = {meeting.pair_id: _possible(problem, board, meeting) for meeting in meetings}
    placeable = {pair_id: slots for pair_id, slots in possible.items() if slots}
    displaced = sum(not before[pair_id] & slots for pair_id, slots in placeable.items() if pair_id in before)
    return max(0, displaced - (len(placeable) + len(problem.fixed) - most))


def _possible(problem: SolverProblem, board: Board, meeting: Meeting) -> SlotSet:
    """Return the slots that a candidate meeting could have if it were the only candidate."""
    possible = all_available(board, meeting) & outside_attended_sessions(board, meeting)
    return problem.open_slots & possible & ~board.busy_slots(meeting)


class _RepairModel:
    """A CP-SAT model with a Boolean variable for every candidate meeting and possible slot (`in_slot`).

    Its constraints: a participant has at most a single meeting at a time and no more than the quota, and a slot has no
    more meetings than tables.
    """

    def __init__(self, problem: SolverProblem) -> None:
        self.cp = cp_model.CpModel()
        self.in_slot: dict[tuple[str, SlotSet], cp_model.IntVar] = {}
        board = problem.board()
        of_person: defaultdict[str, list[cp_model.IntVar]] = defaultdict(list)
        of_person_at: defaultdict[tuple[str, SlotSet], list[cp_model.IntVar]] = defaultdict(list)
        in_zones: defaultdict[tuple[frozenset[str], SlotSet], list[cp_model.IntVar]] = defaultdict(list)
        for meeting in (candidate.meeting for candidate in problem.candidates):
            slots = {slot: self.cp.new_bool_var("") for slot in bits(_possible(problem, board, meeting))}
            self.cp.add_at_most_one(slots.values())
            for slot, var in slots.items():
                self.in_slot[meeting.pair_id, slot] = var
                in_zones[frozenset(meeting.zone_ids), slot].append(var)
                for person in meeting.participant_ids:
                    of_person_at[person, slot].append(var)
                    of_person[person].append(var)
        for at_once in of_person_at.values():
            self.cp.add_at_most_one(at_once)
        if problem.quota is not None:
            for person, theirs in of_person.items():
                self.cp.add(sum(theirs) <= max(0, problem.quota - len(board.assignments_of[person])))
        self._add_tables(board, in_zones)

    def _add_tables(
        self, board: Board, in_zones: Mapping[tuple[frozenset[str], SlotSet], list[cp_model.IntVar]]
    ) -> None:
        """Bound the meetings confined to a set of zones by its tables, for every set that occurs. The sets nest."""
        zone_sets = {zone_ids for zone_ids, _ in in_zones}
        for zone_ids, slot in in_zones:
            within = [var for other in zone_sets if other <= zone_ids for var in in_zones.get((other, slot), ())]
            free = sum(not taken & slot for zone_id in zone_ids for taken in board.tables.get(zone_id, {}).values())
            if len(within) > free:
                self.cp.add(sum(within) <= free)
