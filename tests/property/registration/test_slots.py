"""Slots of any days in any time zone: even, in order, outside the breaks, and as many as fit."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, time, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.registration.domain.slots import Day, Hours, instant, slots_of

ZONES = st.sampled_from(["Europe/Madrid", "America/Santiago", "America/Mexico_City", "Australia/Lord_Howe", "UTC"])
# Around changes of the clocks, where it is hard.
DATES = st.sampled_from([date(2026, 3, 29), date(2026, 10, 25), date(2026, 4, 5), date(2026, 9, 6), date(2026, 11, 26)])
QUARTERS = st.integers(0, 95)


def at(quarter: int) -> time:
    return time(quarter // 4, quarter % 4 * 15)


@st.composite
def days(draw: st.DrawFn) -> Day:
    first, last = sorted(draw(st.sets(QUARTERS, min_size=2, max_size=2)))
    pairs = draw(st.lists(st.sets(QUARTERS, min_size=2, max_size=2), max_size=3))
    breaks = tuple(Hours(starts=at(min(pair)), ends=at(max(pair))) for pair in pairs)
    return Day(date=draw(DATES), starts=at(first), ends=at(last), breaks=breaks)


@given(days(), ZONES, st.sampled_from([15, 20, 45]))
def test_slots_are_what_fits(day: Day, zone: str, minutes: int) -> None:
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
    # Nowhere is there room for one more.
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
