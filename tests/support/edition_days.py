"""Days of an edition for property tests, many of them with a change of the clocks."""

from __future__ import annotations

from datetime import date, time

from hypothesis import strategies as st

from services.registration.domain.slots import Day, Hours

ZONES = st.sampled_from(["Europe/Madrid", "America/Santiago", "America/Mexico_City", "Australia/Lord_Howe", "UTC"])
#: Most of these dates change the clocks.
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
