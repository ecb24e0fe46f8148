from __future__ import annotations

import pytest

from services.scheduler.domain.timetable.board import Assignment, Board, Hours, Meeting
from services.scheduler.domain.timetable.ejection import SearchBudget, make_room
from services.scheduler.domain.timetable.placement import find_assignment
from services.scheduler.domain.timetable.timeline import Timeline, bits, idle_count
from tests.support.scheduler_editions import edition, window


def board(people: str = "abcdef", tables: int = 3, slots: int = 4, **free: int) -> Board:
    whole = (1 << slots) - 1
    made = Board(whole, {"work": [f"W{n}" for n in range(1, tables + 1)]}, None)
    for person in people:
        made.hours[person] = Hours(free.get(person, whole), whole)
    return made


def wants(pair: str) -> Meeting:
    return Meeting(pair, (pair[0], pair[1]), ("work",))


def put(subject: Board, pair: str, slot: int, table: str = "W1") -> None:
    subject.place(wants(pair), Assignment(1 << slot, "work", table))


def slot_of(seat: Assignment | None) -> int | None:
    return seat.slots.bit_length() - 1 if seat else None


@pytest.mark.parametrize(
    ("placed", "expected"),
    [
        ([], 0),
        ([("ac", 2)], 1),  # next to what a has, the earlier of the two
        ([("ac", 1), ("bd", 2)], 0),  # a: none idle, b: one; the other way round it is the same, and 0 comes first
        ([("ac", 0), ("ad", 2)], 1),  # fills the gap
        ([("cd", 0)], 1),  # both free all day: the emptiest slot
    ],
)
def test_the_slot_that_adds_least_idle_time_is_taken(placed: list[tuple[str, int]], expected: int) -> None:
    subject = board()
    for pair, slot in placed:
        put(subject, pair, slot)
    assert slot_of(find_assignment(subject, wants("ab"), 0b1111)[0]) == expected


def test_one_stays_at_the_table_of_the_encounter_before() -> None:
    subject = board()
    put(subject, "ac", 0, "W3")
    assert find_assignment(subject, wants("ab"), 0b0010)[0] == Assignment(0b0010, "work", "W3")
    put(subject, "cd", 1, "W3")
    assert find_assignment(subject, wants("ab"), 0b0010)[0] == Assignment(0b0010, "work", "W1")


def test_the_nearest_seat_is_the_same_then_the_same_time() -> None:
    subject, wish = board(), Assignment(0b0100, "work", "W2")
    assert find_assignment(subject, wants("ab"), 0b1111, wish)[0] == wish
    put(subject, "cd", 2, "W2")
    assert find_assignment(subject, wants("ab"), 0b1111, wish)[0] == Assignment(0b0100, "work", "W1")
    put(subject, "ac", 2, "W3")
    assert slot_of(find_assignment(subject, wants("ab"), 0b1111, wish)[0]) == 1


@pytest.mark.parametrize(("most_moves", "found"), [(0, False), (1, False), (2, True), (3, True)])
def test_a_chain_moves_as_many_as_it_may(most_moves: int, found: bool) -> None:
    # a is there in slot 0 alone, where b meets c; c could only meet b in slot 1, where c meets d; d is free after.
    subject = board(a=0b0001, b=0b0011)
    put(subject, "bc", 0)
    put(subject, "cd", 1)
    before = dict(subject.placed)
    seating = make_room(subject, wants("ab"), 0b1111, most_moves)
    assert subject.placed == before
    assert (seating is not None) == found
    if seating:
        assert {pair: slot_of(seat) for pair, seat in seating.items()} == {"ab": 0, "bc": 1, "cd": 2}


def test_a_table_is_made_free_by_moving_who_sits_there() -> None:
    subject = board(tables=1, a=0b0001)
    put(subject, "cd", 0)
    assert find_assignment(subject, wants("ab"), 0b1111) == (None, "no_table")
    seating = make_room(subject, wants("ab"), 0b1111, 1)
    assert seating is not None
    assert (slot_of(seating["ab"]), slot_of(seating["cd"])) == (0, 1)


def test_a_table_next_door_is_not_another_time() -> None:
    # The company and the research group at W1 may as well sit in Innova+ at the same time.
    subject = Board(0b11, {"work": ["W1"], "innova": ["I1"]}, None)
    for person in "abcd":
        subject.hours[person] = Hours(0b11, 0b11)
    subject.place(Meeting("cd", ("c", "d"), ("innova", "work")), Assignment(0b01, "work", "W1"))
    subject.hours["a"] = Hours(0b01, 0b11)
    assert find_assignment(subject, wants("ab"), 0b11)[0] is None
    seating = make_room(subject, wants("ab"), 0b11, 1)
    assert seating == {"ab": Assignment(0b01, "work", "W1"), "cd": Assignment(0b01, "innova", "I1")}


def test_what_may_not_be_touched_is_not_moved() -> None:
    subject = board(a=0b0001)
    put(subject, "bc", 0)
    assert make_room(subject, wants("ab"), 0b1110, 3) is None


def test_several_who_seek_room_share_what_may_be_looked_at() -> None:
    subject = board(a=0b0001, b=0b0011)
    put(subject, "bc", 0)
    put(subject, "cd", 1)
    budget = SearchBudget()
    whole = budget.looks
    assert make_room(subject, wants("ab"), 0b1111, 3, budget) is not None
    spent = whole - budget.looks
    assert 0 < spent < 100
    assert make_room(subject, wants("ab"), 0b1111, 3, SearchBudget(spent)) is not None
    assert make_room(subject, wants("ab"), 0b1111, 3, SearchBudget(1)) is None
    assert make_room(subject, wants("ab"), 0b1111, 3, SearchBudget(0)) is None


@pytest.mark.parametrize(
    ("busy", "free", "expected"),
    [(0, 0b1111, 0), (0b0100, 0b1111, 0), (0b1001, 0b1111, 2), (0b1001, 0b1011, 1), (0b1011, 0b1111, 1)],
)
def test_idle_is_what_lies_between_and_could_have_been_used(busy: int, free: int, expected: int) -> None:
    assert idle_count(busy, free) == expected


def test_a_timeline_turns_times_into_slots() -> None:
    timeline = Timeline(edition(slots=4).slots)
    assert timeline.within([window(0.5, 3)]) == 0b0110
    assert timeline.within([window(0, 1), window(3, 9)]) == 0b1001
    assert timeline.within([window(1, 1.5)]) == 0
    assert timeline.overlapping([window(0.5, 1.5)]) == 0b0011
    assert timeline.overlapping([window(1, 2)]) == 0b0010
    assert timeline.overlapping([window(5, 6)]) == 0
    assert timeline.index_of(window(2, 3)) == 2
    assert timeline.index_of(window(2, 4)) is None
    assert timeline.begun_by(window(1, 2).starts_at) == 0b0011
    assert list(bits(0b1010)) == [0b0010, 0b1000]
