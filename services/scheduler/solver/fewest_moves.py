"""Prove: the fewest encounters that had to move for a change of the inputs, with as many placed as can be.

The whole edition as one CP-SAT model over slots, exact up to about ITECAM's size. It shares no code with insert.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace

from ortools.sat.python import cp_model

from services.scheduler.domain.improvement.problem import Problem
from services.scheduler.domain.timetable.board import Board, Meeting
from services.scheduler.domain.timetable.rules import all_available, outside_attended_sessions
from services.scheduler.domain.timetable.timeline import SlotSet, bits
from services.scheduler.solver.bound import placement_bound


@dataclass(frozen=True)
class Repair:
    """The best repair: how many are placed, and how many have another slot than before. Exact where `proven`.

    No repair that places as many moves fewer than `at_least`.
    """

    placed: int
    moves: int
    at_least: int
    slots: Mapping[str, SlotSet]
    proven: bool
    seconds: float


def fewest_moves(
    problem: Problem,
    before: Mapping[str, SlotSet],
    hint: Mapping[str, SlotSet],
    effort: float,
    *,
    moves_count: bool = True,
) -> Repair:
    """Place as many as can be, then move as few as can be of those that were at `before` (pair id -> slot).

    `hint` is a repair to begin with; `effort` is CP-SAT's deterministic time, roughly seconds. With `moves_count`
    false, moves cost nothing: what a solver does that is not asked to leave people alone.
    """
    most = placement_bound(problem)
    forced = _forced(problem, before, most)
    given = _repair(problem, before, hint)
    if moves_count and given.placed >= most and given.moves <= forced:
        return replace(given, at_least=given.moves, proven=True)
    model = _Model(problem)
    moves = sum((seat for (pair, slot), seat in model.seats.items() if before.get(pair, slot) != slot), start=0)
    placed = sum(model.seats.values(), start=0)
    weight = len(before) + 1
    model.cp.maximize(weight * placed - moves if moves_count else placed)
    if moves_count and given.placed >= most:
        # As many as can be are placed already: what is left to ask is whether fewer need move, and nearly all stay.
        model.cp.add(placed >= len(hint.keys() - problem.fixed.keys()))
        model.cp.add(moves <= given.moves)
        model.cp.add(moves >= forced)
    for (pair, slot), seat in model.seats.items():
        model.cp.add_hint(seat, hint.get(pair) == slot)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.max_deterministic_time = effort
    status = solver.solve(model.cp)
    found = {pair: slot for (pair, slot), seat in model.seats.items() if solver.value(seat)} if status in _FOUND else {}
    repair = replace(_repair(problem, before, found), seconds=solver.wall_time)
    if status == cp_model.OPTIMAL:
        return replace(repair, at_least=repair.moves if moves_count else 0, proven=True)
    if repair.placed < most or not moves_count:
        return repair
    refuted = weight * (repair.placed - len(problem.fixed)) - math.floor(solver.best_objective_bound)
    return replace(repair, at_least=max(forced, refuted))


_FOUND = {cp_model.OPTIMAL, cp_model.FEASIBLE}


def _repair(problem: Problem, before: Mapping[str, SlotSet], slots: Mapping[str, SlotSet]) -> Repair:
    stay = {pair: seat.slots for pair, (_, seat) in problem.fixed.items()}
    after = {**slots, **stay}
    moves = sum(before.get(pair, slot) != slot for pair, slot in after.items())
    return Repair(len(after), moves, at_least=0, slots=after, proven=False, seconds=0.0)


def _forced(problem: Problem, before: Mapping[str, SlotSet], most: int) -> int:
    """How many must move, at least, to place `most`: those that cannot stay, but for as many as are left out."""
    board = problem.board()
    possible = {each.meeting.pair_id: _possible(problem, board, each.meeting) for each in problem.candidates}
    placeable = {pair: slots for pair, slots in possible.items() if slots}
    displaced = sum(not before[pair] & slots for pair, slots in placeable.items() if pair in before)
    return max(0, displaced - (len(placeable) + len(problem.fixed) - most))


def _possible(problem: Problem, board: Board, wanted: Meeting) -> SlotSet:
    """When they could meet, whatever the others do."""
    possible = all_available(board, wanted) & outside_attended_sessions(board, wanted)
    return problem.open_slots & possible & ~board.busy_slots(wanted)


class _Model:
    """Who may be when, each in one encounter at a time, within quota, and no more in a slot than there are tables."""

    def __init__(self, problem: Problem) -> None:
        self.cp = cp_model.CpModel()
        self.seats: dict[tuple[str, SlotSet], cp_model.IntVar] = {}
        board = problem.board()
        of_person: defaultdict[str, list[cp_model.IntVar]] = defaultdict(list)
        of_person_at: defaultdict[tuple[str, SlotSet], list[cp_model.IntVar]] = defaultdict(list)
        in_zones: defaultdict[tuple[frozenset[str], SlotSet], list[cp_model.IntVar]] = defaultdict(list)
        for wanted in (each.meeting for each in problem.candidates):
            seats = {slot: self.cp.new_bool_var("") for slot in bits(_possible(problem, board, wanted))}
            self.cp.add_at_most_one(seats.values())
            for slot, seat in seats.items():
                self.seats[wanted.pair_id, slot] = seat
                in_zones[frozenset(wanted.zone_ids), slot].append(seat)
                for person in wanted.participant_ids:
                    of_person_at[person, slot].append(seat)
                    of_person[person].append(seat)
        for seats_at_once in of_person_at.values():
            self.cp.add_at_most_one(seats_at_once)
        if problem.quota is not None:
            for person, theirs in of_person.items():
                self.cp.add(sum(theirs) <= max(0, problem.quota - len(board.assignments_of[person])))
        self._add_tables(board, in_zones)

    def _add_tables(
        self, board: Board, in_zones: Mapping[tuple[frozenset[str], SlotSet], list[cp_model.IntVar]]
    ) -> None:
        """For each set of zones: those that can sit nowhere else are no more than its tables. The sets nest."""
        kinds = {zones for zones, _ in in_zones}
        for zones, slot in in_zones:
            within = [seat for other in kinds if other <= zones for seat in in_zones.get((other, slot), ())]
            free = sum(not taken & slot for zone in zones for taken in board.tables.get(zone, {}).values())
            if len(within) > free:
                self.cp.add(sum(within) <= free)
