"""Property: the best slot and the added idle time, found by bit arithmetic, equal the results of trial."""

from __future__ import annotations

from functools import reduce
from itertools import pairwise
from operator import and_

from hypothesis import given
from hypothesis import strategies as st

from services.scheduler.domain.timetable.board import Assignment, Board, Meeting, ParticipantHours
from services.scheduler.domain.timetable.placement import best_slot
from services.scheduler.domain.timetable.timeline import SlotSet, added_idle, bits, idle_count

SLOTS = 12
slots = st.integers(0, (1 << SLOTS) - 1)


@given(slots, slots)
def test_added_idle_is_the_difference_of_idle_counts(busy: SlotSet, free: SlotSet) -> None:
    free |= busy
    for slot in bits(free & ~busy):
        assert added_idle(busy, free, slot) == idle_count(busy | slot, free) - idle_count(busy, free)


@given(st.lists(st.tuples(slots, slots), min_size=2, max_size=4), st.sets(st.integers(1, 11)))
def test_the_best_slot_adds_the_least_idle_time(people: list[tuple[SlotSet, SlotSet]], nights: set[int]) -> None:
    bounds = [0, *sorted(nights), SLOTS]
    days = [(1 << end) - (1 << first) for first, end in pairwise(bounds)]
    board = Board((1 << SLOTS) - 1, {"work": [str(number) for number in range(50)]}, None, days)
    tables, sides = iter(range(50)), ("one", "other", "guest", "second guest")[: len(people)]
    for side, (theirs, there) in zip(sides, people, strict=True):
        board.hours[side] = ParticipantHours(theirs | there, board.all_slots)
        for slot in bits(theirs):
            meeting = Meeting(f"{side}{slot}", (side, f"{side} and {slot}"), ("work",))
            board.place(meeting, Assignment(slot, "work", str(next(tables))))

    def waiting(slot: SlotSet) -> int:
        return sum(idle_count(board.busy[side] | slot, board.possible_slots(side), days) for side in sides)

    meeting = Meeting("all", sides, ("work",))
    left = reduce(and_, map(board.possible_slots, sides)) & ~board.busy_slots(meeting)
    if left:
        best = min(bits(left), key=lambda slot: (waiting(slot), board.count_in_slot(slot), slot))
        assert best_slot(board, meeting, left) == best
