from __future__ import annotations

import pytest

from services.scheduler.domain.timetable.board import Assignment, Board, Meeting, ParticipantHours
from services.scheduler.domain.timetable.ejection import SearchBudget, make_room
from services.scheduler.domain.timetable.placement import find_assignment
from services.scheduler.domain.timetable.timeline import Timeline, bits, idle_count
from tests.support.scheduler_editions import edition, window


def board(people: str = "abcdef", tables: int = 3, slots: int = 4, **free: int) -> Board:
    all_slots = (1 << slots) - 1
    made = Board(all_slots, {"work": [f"W{n}" for n in range(1, tables + 1)]}, None)
    for person in people:
        made.hours[person] = ParticipantHours(free.get(person, all_slots), all_slots)
    return made


def meeting_of(pair: str) -> Meeting:
    return Meeting(pair, (pair[0], pair[1]), ("work",))


def place(subject: Board, pair: str, slot: int, table: str = "W1") -> None:
    subject.place(meeting_of(pair), Assignment(1 << slot, "work", table))


def slot_of(assignment: Assignment | None) -> int | None:
    return assignment.slots.bit_length() - 1 if assignment else None


@pytest.mark.parametrize(
    ("placed", "expected"),
    [
        ([], 0),
        ([("ac", 2)], 1),  # next to the meeting of a, the earlier slot
        ([("ac", 1), ("bd", 2)], 0),  # slots 0 and 3 add as much idle time: the earlier slot
        ([("ac", 0), ("ad", 2)], 1),  # fills the gap
        ([("cd", 0)], 1),  # both free all day: the emptiest slot
    ],
)
def test_the_slot_that_adds_least_idle_time_is_taken(placed: list[tuple[str, int]], expected: int) -> None:
    subject = board()
    for pair, slot in placed:
        place(subject, pair, slot)
    assert slot_of(find_assignment(subject, meeting_of("ab"), 0b1111)[0]) == expected


def test_a_participant_stays_at_the_table_of_the_meeting_before() -> None:
    subject = board()
    place(subject, "ac", 0, "W3")
    assert find_assignment(subject, meeting_of("ab"), 0b0010)[0] == Assignment(0b0010, "work", "W3")
    place(subject, "cd", 1, "W3")
    assert find_assignment(subject, meeting_of("ab"), 0b0010)[0] == Assignment(0b0010, "work", "W1")


def test_near_prefers_the_same_table_then_the_same_slot() -> None:
    subject, near = board(), Assignment(0b0100, "work", "W2")
    assert find_assignment(subject, meeting_of("ab"), 0b1111, near)[0] == near
    place(subject, "cd", 2, "W2")
    assert find_assignment(subject, meeting_of("ab"), 0b1111, near)[0] == Assignment(0b0100, "work", "W1")
    place(subject, "ac", 2, "W3")
    assert slot_of(find_assignment(subject, meeting_of("ab"), 0b1111, near)[0]) == 1


@pytest.mark.parametrize(("most_moves", "found"), [(0, False), (1, False), (2, True), (3, True)])
def test_a_chain_needs_enough_permitted_moves(most_moves: int, found: bool) -> None:
    # a is present in slot 0 only, where b meets c; b and c could meet in slot 1, where c meets d; d is free later.
    subject = board(a=0b0001, b=0b0011)
    place(subject, "bc", 0)
    place(subject, "cd", 1)
    before = dict(subject.placed)
    rearrangement = make_room(subject, meeting_of("ab"), 0b1111, most_moves)
    assert subject.placed == before
    assert (rearrangement is not None) == found
    if rearrangement:
        assert {pair: slot_of(assignment) for pair, assignment in rearrangement.items()} == {"ab": 0, "bc": 1, "cd": 2}


def test_a_table_is_freed_by_moving_its_meeting() -> None:
    subject = board(tables=1, a=0b0001)
    place(subject, "cd", 0)
    assert find_assignment(subject, meeting_of("ab"), 0b1111) == (None, "no_table")
    rearrangement = make_room(subject, meeting_of("ab"), 0b1111, 1)
    assert rearrangement is not None
    assert (slot_of(rearrangement["ab"]), slot_of(rearrangement["cd"])) == (0, 1)


def test_a_meeting_may_give_way_to_another_zone_in_the_same_slot() -> None:
    # The company and the research group at W1 are admitted to Innova+ as well.
    subject = Board(0b11, {"work": ["W1"], "innova": ["I1"]}, None)
    for person in "abcd":
        subject.hours[person] = ParticipantHours(0b11, 0b11)
    subject.place(Meeting("cd", ("c", "d"), ("innova", "work")), Assignment(0b01, "work", "W1"))
    subject.hours["a"] = ParticipantHours(0b01, 0b11)
    assert find_assignment(subject, meeting_of("ab"), 0b11)[0] is None
    rearrangement = make_room(subject, meeting_of("ab"), 0b11, 1)
    assert rearrangement == {"ab": Assignment(0b01, "work", "W1"), "cd": Assignment(0b01, "innova", "I1")}


def test_meetings_outside_the_allowed_slots_are_not_moved() -> None:
    subject = board(a=0b0001)
    place(subject, "bc", 0)
    assert make_room(subject, meeting_of("ab"), 0b1110, 3) is None


def test_a_shared_search_budget_is_spent() -> None:
    subject = board(a=0b0001, b=0b0011)
    place(subject, "bc", 0)
    place(subject, "cd", 1)
    budget = SearchBudget()
    available = budget.looks
    assert make_room(subject, meeting_of("ab"), 0b1111, 3, budget) is not None
    spent = available - budget.looks
    assert 0 < spent < 100
    assert make_room(subject, meeting_of("ab"), 0b1111, 3, SearchBudget(spent)) is not None
    assert make_room(subject, meeting_of("ab"), 0b1111, 3, SearchBudget(1)) is None
    assert make_room(subject, meeting_of("ab"), 0b1111, 3, SearchBudget(0)) is None


@pytest.mark.parametrize(
    ("busy", "free", "expected"),
    [(0, 0b1111, 0), (0b0100, 0b1111, 0), (0b1001, 0b1111, 2), (0b1001, 0b1011, 1), (0b1011, 0b1111, 1)],
)
def test_idle_slots_are_free_slots_between_meetings(busy: int, free: int, expected: int) -> None:
    assert idle_count(busy, free) == expected


def test_a_timeline_translates_times_to_slots() -> None:
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
