"""Slots of any days in any time zone: even, in order, outside the breaks, and as many as fit."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, time, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.registration.domain.slots import Day, instant, slots_of
from tests.support.edition_days import ZONES, days


@given(days(), ZONES, st.sampled_from([15, 20, 45]))
def test_slots_are_all_that_fit_between_breaks(day: Day, zone: str, minutes: int) -> None:
    try:
        slots = slots_of([day], minutes, zone)
        spans = [
            (
                instant(datetime.combine(day.date, hours.starts), zone),
                instant(datetime.combine(day.date, hours.ends), zone),
            )
            for hours in (day, *day.breaks)
        ]
    except ValueError as error:
        assert "does not exist" in str(error)  # noqa: PT017 - one of two right answers
        return
    (begins, ends), breaks = spans[0], spans[1:]
    length = timedelta(minutes=minutes)
    assert [slot.index for slot in slots] == list(range(len(slots)))
    for slot in slots:
        assert slot.ends_at - slot.starts_at == length
        assert begins <= slot.starts_at < slot.ends_at <= ends
        assert all(slot.ends_at <= start or end <= slot.starts_at for start, end in breaks)
    for before, after in itertools.pairwise(slots):
        assert before.ends_at <= after.starts_at
    # No gap has room for a further slot.
    taken = sorted([(slot.starts_at, slot.ends_at) for slot in slots] + breaks + [(ends, ends)])
    free_from = begins
    for start, end in taken:
        assert min(start, ends) - free_from < length
        free_from = max(free_from, end)


def test_the_night_the_clocks_go_back_has_an_hour_more() -> None:
    day = Day(date=date(2026, 10, 25), starts=time(0), ends=time(6))
    slots = slots_of([day], 15, "Europe/Madrid")
    assert len(slots) == 28
    assert slots[0].starts_at == datetime(2026, 10, 24, 22, tzinfo=UTC)


def test_a_night_past_midnight_is_two_days() -> None:
    evening = Day(date=date(2026, 11, 17), starts=time(22), ends=time(0))
    night = Day(date=date(2026, 11, 18), starts=time(0), ends=time(1))
    assert len(slots_of([night, evening], 15, "Europe/Madrid")) == 12
