"""An agenda in the making, slots alone: which encounter is when. Tables are dealt out once the slots are settled."""

from __future__ import annotations

from collections import defaultdict

from services.scheduler.domain.improvement.problem import Problem
from services.scheduler.domain.objective.priority import FillRate
from services.scheduler.domain.timetable.board import Board
from services.scheduler.domain.timetable.timeline import SlotSet


class Draft:
    """Encounters of two by number, participants by number, slots as bits; it changes by `put` and `lift` alone.

    Table room is counted, not dealt: in a slot, the encounters whose zones are all within `zones` may not outnumber
    the tables of `zones`, for each set of zones that occurs. Those sets nest (Innova+ pairs may sit where all others
    do), so the tables can then always be dealt out.
    """

    def __init__(self, problem: Problem) -> None:
        board = problem.board()
        people = {person: number for number, person in enumerate(problem.hours)}
        self.pairs = [each.meeting for each in problem.candidates]
        self.sides = [(people[one], people[other]) for one, other in (wanted.participant_ids for wanted in self.pairs)]
        self.pairs_of: list[list[int]] = [[] for _ in people]
        for pair, sides in enumerate(self.sides):
            for person in sides:
                self.pairs_of[person].append(pair)
        self.quota = problem.quota
        self.least = problem.least
        self.count = [len(board.assignments_of[person]) for person in problem.hours]
        self._wanted = [problem.served(board, person).wanted for person in problem.hours]
        self.busy: list[SlotSet] = [board.busy[person] for person in problem.hours]
        self.free: list[SlotSet] = [problem.open_slots & board.possible_slots(person) for person in problem.hours]
        self.attending: list[SlotSet] = [
            problem.all_slots & ~hours.outside_sessions for hours in problem.hours.values()
        ]
        self.days: tuple[SlotSet, ...] = board.days
        self.slot: list[SlotSet] = [0] * len(self.pairs)
        #: What slots are left to an encounter beside that, if not all.
        self.within: dict[int, SlotSet] = {}
        self.at: list[dict[SlotSet, int]] = [{} for _ in people]
        self.room, self.needs = _rooms(problem, board, self)

    def place(self, pair: int, slot: SlotSet) -> None:
        """Give an encounter without a slot one that fits."""
        self.slot[pair] = slot
        for person in self.sides[pair]:
            self.busy[person] |= slot
            self.at[person][slot] = pair
            self.count[person] += 1
        for room in self.needs[pair]:
            self.room[room][slot] -= 1

    def remove(self, pair: int) -> SlotSet:
        """Take an encounter's slot away; returns it."""
        slot, self.slot[pair] = self.slot[pair], 0
        for person in self.sides[pair]:
            self.busy[person] &= ~slot
            del self.at[person][slot]
            self.count[person] -= 1
        for room in self.needs[pair]:
            self.room[room][slot] += 1
        return slot

    def common(self, pair: int) -> SlotSet:
        """The slots in which both could meet, whatever else they do."""
        one, other = self.sides[pair]
        return self.free[one] & self.free[other]

    def choices(self, pair: int) -> SlotSet:
        """The slots in which the search may have the encounter."""
        common = self.common(pair)
        return common & self.within[pair] if pair in self.within else common

    def served(self, person: int) -> FillRate:
        """How many encounters the participant has, and how many are wanted."""
        return FillRate(self.count[person], self._wanted[person])

    def placed(self) -> int:
        """How many encounters have a slot."""
        return sum(map(bool, self.slot))


def _rooms(problem: Problem, board: Board, draft: Draft) -> tuple[list[dict[SlotSet, int]], list[list[int]]]:
    """For each set of zones, the tables free in each slot; and for each pair, the sets that it takes from."""
    sets = sorted({wanted.zone_ids for wanted in draft.pairs}, key=lambda zones: (len(zones), zones))
    free = [_free_tables(problem, board, zones) for zones in sets]
    takes: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for zones in sets:
        takes[zones] = [number for number, larger in enumerate(sets) if set(zones) <= set(larger)]
    return free, [takes[wanted.zone_ids] for wanted in draft.pairs]


def _free_tables(problem: Problem, board: Board, zones: tuple[str, ...]) -> dict[SlotSet, int]:
    masks = [taken for zone in zones for taken in board.tables.get(zone, {}).values()]
    slots = [1 << index for index in range(problem.all_slots.bit_length())]
    return {slot: sum(not taken & slot for taken in masks) for slot in slots}
