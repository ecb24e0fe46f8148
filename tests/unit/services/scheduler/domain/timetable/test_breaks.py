from __future__ import annotations

import pytest

from services.scheduler.domain.timetable.board import Assignment, ParticipantHours
from services.scheduler.domain.timetable.breaks import Breaks, breaks_in, breaks_of

ALL_SLOTS = 0b11111111


@pytest.mark.parametrize(
    ("busy", "attending", "days", "lengths"),
    [
        (0, 0, (ALL_SLOTS,), []),
        (0b00100000, 0, (ALL_SLOTS,), []),
        (0b00111000, 0, (ALL_SLOTS,), []),
        (0b10010001, 0, (ALL_SLOTS,), [3, 2]),
        (0b10000001, 0b01111110, (ALL_SLOTS,), []),
        (0b10000001, 0b00001000, (ALL_SLOTS,), [2, 3]),
        (0b10000001, 0b01110000, (ALL_SLOTS,), [3]),
        (0b00000001, 0b10000000, (ALL_SLOTS,), []),
        (0b00010001, 0, (0b00001111, 0b11110000), []),
        (0b10011001, 0, (0b00001111, 0b11110000), [2, 2]),
    ],
)
def test_a_break_is_a_run_of_idle_slots_between_two_meetings_of_a_day(
    busy: int, attending: int, days: tuple[int, ...], lengths: list[int]
) -> None:
    assert list(breaks_of(busy, attending, days)) == lengths


def test_an_absence_counts_among_the_breaks_of_an_agenda() -> None:
    assignments: dict[tuple[str, ...], Assignment] = {
        ("a", "b"): Assignment(0b00000001, "z", "1"),
        ("a", "c"): Assignment(0b00001000, "z", "1"),
    }
    hours = {
        "a": ParticipantHours(0b00001001, ALL_SLOTS),
        "b": ParticipantHours(ALL_SLOTS, ALL_SLOTS),
        "c": ParticipantHours(ALL_SLOTS, ALL_SLOTS),
    }
    assert breaks_in(assignments, hours, ALL_SLOTS, ()) == Breaks(number=1, slots=2, longest=2)
