"""A draft: an agenda in the making that knows slots only. Tables are dealt out once the slots are settled."""

from __future__ import annotations

from services.scheduler.domain.improvement.problem import SolverProblem
from services.scheduler.domain.objective.priority import FillRate
from services.scheduler.domain.timetable.board import Board
from services.scheduler.domain.timetable.timeline import SlotSet


class Draft:
    """The slots of meetings of two. Pairs and participants are numbered; `place` and `remove` are the only changes.

    Tables are counted, not dealt out. For every set of zones open to some pair, and every slot, the meetings confined
    to these zones may not outnumber their tables. The sets nest: pairs admitted to Innova+ may also sit in all other
    zones. The tables can therefore always be dealt out.

    - `pairs`: the meetings by number; `sides`: the numbers of their two participants.
    - `slot`: by pair, its slot, 0 while it waits; `windows`: by pair, the only slots that its order permits.
    - `pair_at`: by participant and slot, the pair; `busy`: by participant, the taken slots, fixed meetings included.
    - `free_tables`: by set of zones and slot, the tables left; `zone_sets_of`: by pair, the sets it takes a table from.
    """

    def __init__(self, problem: SolverProblem) -> None:
        board = problem.board()
        numbers = {participant_id: number for number, participant_id in enumerate(problem.hours)}
        self.pairs = [candidate.meeting for candidate in problem.candidates]
        self.sides = [(numbers[first], numbers[second]) for first, second in (m.participant_ids for m in self.pairs)]
        self.pairs_of: list[list[int]] = [[] for _ in numbers]
        for pair, sides in enumerate(self.sides):
            for person in sides:
                self.pairs_of[person].append(pair)
        self.quota = problem.quota
        self.least = problem.least
        self.count = [len(board.assignments_of[participant_id]) for participant_id in problem.hours]
        self._wanted = [problem.served(board, participant_id).wanted for participant_id in problem.hours]
        self.busy: list[SlotSet] = [board.busy[participant_id] for participant_id in problem.hours]
        self.free: list[SlotSet] = [problem.open_slots & board.possible_slots(person) for person in problem.hours]
        self.attending: list[SlotSet] = [
            problem.all_slots & ~hours.outside_sessions for hours in problem.hours.values()
        ]
        self.days: tuple[SlotSet, ...] = board.days
        self.slot: list[SlotSet] = [0] * len(self.pairs)
        self.windows: dict[int, SlotSet] = {}
        self.pair_at: list[dict[SlotSet, int]] = [{} for _ in numbers]
        self.free_tables, self.zone_sets_of = _count_tables(problem, board, self)

    def place(self, pair: int, slot: SlotSet) -> None:
        """Give a waiting pair a slot that fits."""
        self.slot[pair] = slot
        for person in self.sides[pair]:
            self.busy[person] |= slot
            self.pair_at[person][slot] = pair
            self.count[person] += 1
        for zone_set in self.zone_sets_of[pair]:
            self.free_tables[zone_set][slot] -= 1

    def remove(self, pair: int) -> SlotSet:
        """Take a pair's slot away, and return it."""
        slot, self.slot[pair] = self.slot[pair], 0
        for person in self.sides[pair]:
            self.busy[person] &= ~slot
            del self.pair_at[person][slot]
            self.count[person] -= 1
        for zone_set in self.zone_sets_of[pair]:
            self.free_tables[zone_set][slot] += 1
        return slot

    def common(self, pair: int) -> SlotSet:
        """Return the slots in which both participants could meet, taken slots included."""
        first, second = self.sides[pair]
        return self.free[first] & self.free[second]

    def choices(self, pair: int) -> SlotSet:
        """Return the slots that a search may give the pair: common slots within its window."""
        common = self.common(pair)
        return common & self.windows[pair] if pair in self.windows else common

    def fill_rate(self, person: int) -> FillRate:
        """Return the fill rate of a participant."""
        return FillRate(self.count[person], self._wanted[person])

    def placed_count(self) -> int:
        """Count the pairs with a slot."""
        return sum(map(bool, self.slot))


def _count_tables(
    problem: SolverProblem, board: Board, draft: Draft
) -> tuple[list[dict[SlotSet, int]], list[list[int]]]:
    """Return the free tables of every set of zones by slot, and for every pair the sets it takes a table from."""
    sets = sorted({meeting.zone_ids for meeting in draft.pairs}, key=lambda zone_ids: (len(zone_ids), zone_ids))
    free = [_free_tables(problem, board, zone_ids) for zone_ids in sets]
    taken_from = {
        zone_ids: [number for number, larger in enumerate(sets) if set(zone_ids) <= set(larger)] for zone_ids in sets
    }
    return free, [taken_from[meeting.zone_ids] for meeting in draft.pairs]


def _free_tables(problem: SolverProblem, board: Board, zone_ids: tuple[str, ...]) -> dict[SlotSet, int]:
    masks = [taken for zone_id in zone_ids for taken in board.tables.get(zone_id, {}).values()]
    slots = [1 << index for index in range(problem.all_slots.bit_length())]
    return {slot: sum(not taken & slot for taken in masks) for slot in slots}
