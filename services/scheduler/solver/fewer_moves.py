"""Fewer moves: the hours at which placed meetings stay placed, and as few as possible are at a new hour.

A CP-SAT model over slots of the meetings that may move; the rest of the board stays. The model grows
from the meetings that have moved to their neighbours, up to a limit. Within the limit the result is the fewest.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ortools.sat.python import cp_model

from services.scheduler.domain.timetable.board import Board, Meeting
from services.scheduler.domain.timetable.rules import all_available, outside_attended_sessions
from services.scheduler.domain.timetable.timeline import SlotSet, bits

#: Most choices (meeting and slot) of a model: for one meeting that has moved, four times as many for two, and so on, up
#: to a limit. Building a model of 6,000 choices takes .1 s.
_CHOICES_FOR_ONE, _CHOICES = 120, 6_000
#: Deterministic seconds of a solution.
_EFFORT = 0.5
#: Costs of a new hour, of another place, and of a slot other than the present. Each is above all lesser costs together.
_MOVE, _PLACE, _SLOT = 10_000**2, 10_000, 1
_FOUND = {cp_model.OPTIMAL, cp_model.FEASIBLE}


@dataclass(frozen=True)
class Home:
    """The slots in which a meeting has not moved; in `at_table` its former table is still in service.

    A move of a meeting that `is_free` costs nothing.
    """

    slots: SlotSet
    at_table: SlotSet
    is_free: bool = False

    def is_moved_by(self, slot: SlotSet) -> bool:
        """Return whether the slot is a new hour for the meeting."""
        return not self.is_free and not self.slots & slot

    def is_left_by(self, slot: SlotSet) -> bool:
        """Return whether the meeting cannot have its former place in the slot."""
        return not self.is_free and not self.at_table & slot


def fewer_moves(
    board: Board, home_of: Callable[[str], Home | None], away: Sequence[str], open_slots: SlotSet
) -> dict[str, SlotSet]:
    """Return the new slots of meetings, so that fewer are away from home; nothing if that is not possible.

    Args:
        board: the agenda; it is left as it was.
        home_of: the home of a placed pair, or `None` if its meeting stays.
        away: the pairs that are away from home and may have been spared that.
        open_slots: the slots that may be given.
    """
    choices, homes = _choices(board, home_of, away, open_slots)
    model = _Model(board, choices)
    present = {pair_id: board.placed[pair_id][1].slots for pair_id in choices}
    moves = [var for (pair_id, slot), var in model.in_slot.items() if homes[pair_id].is_moved_by(slot)]
    elsewhere = [var for (pair_id, slot), var in model.in_slot.items() if homes[pair_id].is_left_by(slot)]
    changed = [var for (pair_id, slot), var in model.in_slot.items() if present[pair_id] != slot]
    model.cp.minimize(_MOVE * sum(moves) + _PLACE * sum(elsewhere) + _SLOT * sum(changed))
    model.cp.add(sum(moves) < sum(homes[pair_id].is_moved_by(slot) for pair_id, slot in present.items()))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.max_deterministic_time = _EFFORT
    # The model is solved once, and presolve takes longer than the search.
    solver.parameters.cp_model_presolve = False
    if solver.solve(model.cp) not in _FOUND:
        return {}
    found = {pair_id: slot for (pair_id, slot), var in model.in_slot.items() if solver.value(var)}
    return {pair_id: slot for pair_id, slot in found.items() if slot != present[pair_id]}


def _choices(
    board: Board, home_of: Callable[[str], Home | None], away: Sequence[str], open_slots: SlotSet
) -> tuple[dict[str, SlotSet], dict[str, Home]]:
    """Return the meetings of the model with the slots that they may have, and their homes.

    The meetings nearest to the meetings away come first. Instead of a single meeting, only free moves are better.
    """
    choices: dict[str, SlotSet] = {}
    homes: dict[str, Home] = {}
    most, queue = min(_CHOICES, _CHOICES_FOR_ONE * len(away) ** 2), deque(away)
    seen = set(away)
    while queue:
        pair_id = queue.popleft()
        meeting, assignment = board.placed[pair_id]
        home = home_of(pair_id)
        if home is None:
            continue
        slots = assignment.slots | (open_slots | home.slots) & _possible(board, meeting)
        if len(away) == 1 and not home.is_free and not home.is_moved_by(assignment.slots):
            slots &= home.slots
            if slots == assignment.slots and len(meeting.zone_ids) == 1:
                continue
        most -= slots.bit_count()
        if most < 0:
            break
        choices[pair_id], homes[pair_id] = slots, home
        sought = home.slots & slots if pair_id in away else slots
        for neighbour in _neighbours(board, meeting, sought):
            if neighbour in board.placed and neighbour not in seen:
                seen.add(neighbour)
                queue.append(neighbour)
    return choices, homes


def _possible(board: Board, meeting: Meeting) -> SlotSet:
    """Return the slots that a meeting could have on an empty board."""
    if not any(board.tables.get(zone_id) for zone_id in meeting.zone_ids):
        return 0
    return all_available(board, meeting) & outside_attended_sessions(board, meeting)


def _neighbours(board: Board, meeting: Meeting, slots: SlotSet) -> Iterator[str]:
    """Yield the pairs that may stand in the meeting's way: of its participants, in its order, and in full slots."""
    for participant_id in meeting.participant_ids:
        yield from sorted(board.assignments_of[participant_id])
    yield from board.predecessors.get(meeting.pair_id, ())
    yield from board.successors.get(meeting.pair_id, ())
    free = 0
    for zone_id in meeting.zone_ids:
        free |= board.slots_with_free_table(zone_id)
    for slot in bits(slots & ~free):
        yield from board.pairs_in_slot(slot)


class _Model:
    """A CP-SAT model with a Boolean variable for every meeting and slot of `choices` (`in_slot`).

    Every meeting has a single slot. A participant has at most one meeting at a time, a zone at most as many as tables,
    and meetings in an order keep it.
    """

    def __init__(self, board: Board, choices: Mapping[str, SlotSet]) -> None:
        self.cp = cp_model.CpModel()
        self.in_slot: dict[tuple[str, SlotSet], cp_model.IntVar] = {}
        self._board = board
        self._choices = choices
        at_once: defaultdict[tuple[str, SlotSet], list[cp_model.IntVar]] = defaultdict(list)
        in_zones: defaultdict[tuple[frozenset[str], SlotSet], list[cp_model.IntVar]] = defaultdict(list)
        own = self._own_times()
        for pair_id, slots in choices.items():
            meeting, present = board.placed[pair_id]
            left = self._slots_left(meeting, slots, own) | present.slots
            variables = {slot: self.cp.new_bool_var("") for slot in bits(left)}
            self.cp.add_exactly_one(variables.values())
            for slot, var in variables.items():
                self.in_slot[pair_id, slot] = var
                in_zones[frozenset(meeting.zone_ids), slot].append(var)
                for participant_id in meeting.participant_ids:
                    at_once[participant_id, slot].append(var)
        for variables_at_once in at_once.values():
            self.cp.add_at_most_one(variables_at_once)
        self._add_tables(in_zones)
        self._add_orders()

    def _own_times(self) -> dict[str, SlotSet]:
        """Return, by participant, the slots that their meetings in the model take now."""
        own: defaultdict[str, SlotSet] = defaultdict(int)
        for pair_id in self._choices:
            for participant_id in self._board.placed[pair_id][0].participant_ids:
                own[participant_id] |= self._board.assignments_of[participant_id][pair_id].slots
        return own

    def _slots_left(self, meeting: Meeting, slots: SlotSet, own: Mapping[str, SlotSet]) -> SlotSet:
        """Return the slots that the meetings outside the model leave to the participants and to the order."""
        board = self._board
        for participant_id in meeting.participant_ids:
            slots &= ~(board.busy[participant_id] & ~own[participant_id])
        for earlier in self._fixed(board.predecessors.get(meeting.pair_id, ())):
            slots &= board.slots_before_and_after(earlier)[1]
        for later in self._fixed(board.successors.get(meeting.pair_id, ())):
            slots &= board.slots_before_and_after(later)[0]
        return slots

    def _fixed(self, pair_ids: Iterable[str]) -> Iterator[str]:
        return (pair_id for pair_id in pair_ids if pair_id not in self._choices)

    def _add_tables(self, in_zones: Mapping[tuple[frozenset[str], SlotSet], list[cp_model.IntVar]]) -> None:
        """Bound the meetings confined to a set of zones by its tables, for every set that occurs. The sets nest."""
        taken: defaultdict[tuple[str, SlotSet], int] = defaultdict(int)
        for pair_id in self._choices:
            assignment = self._board.placed[pair_id][1]
            taken[assignment.zone_id, assignment.slots] += 1
        zone_sets = {zone_ids for zone_ids, _ in in_zones}
        for zone_ids, slot in in_zones:
            within = [var for inner in zone_sets if inner <= zone_ids for var in in_zones.get((inner, slot), ())]
            free = sum(
                taken[zone_id, slot] + sum(not busy & slot for busy in self._board.tables.get(zone_id, {}).values())
                for zone_id in zone_ids
            )
            if len(within) > free:
                self.cp.add(sum(within) <= free)

    def _add_orders(self) -> None:
        for later in self._choices:
            for earlier in self._board.predecessors.get(later, ()):
                if earlier in self._choices:
                    self.cp.add(self._number_of(earlier) < self._number_of(later))

    def _number_of(self, pair_id: str) -> cp_model.LinearExprT:
        """Return the number of the meeting's slot, as an expression."""
        slots = (slot for slot in bits(self._choices[pair_id]) if (pair_id, slot) in self.in_slot)
        return sum(slot.bit_length() * self.in_slot[pair_id, slot] for slot in slots)
