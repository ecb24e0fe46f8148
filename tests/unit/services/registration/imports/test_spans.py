"""Times in which people can meet, as they write them."""

from __future__ import annotations

from datetime import date, time, timedelta

import pytest

from services.registration.domain.errors import Invalid
from services.registration.domain.slots import Day
from services.registration.imports.spans import NoTime, joined, marked, spans_of

THURSDAY = Day(date=date(2026, 11, 26), starts=time(9), ends=time(18))
FRIDAY = Day(date=date(2026, 11, 27), starts=time(9), ends=time(14))


def read(text: str, *days: Day, slot: timedelta | None = None) -> list[str]:
    return [f"{starts:%d %H:%M}-{ends:%H:%M}" for starts, ends in spans_of(text, days, slot)]


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("10:00-12:00; 15:00-", ["26 10:00-12:00", "26 15:00-18:00"]),
        ("-12:00", ["26 09:00-12:00"]),
        ("9:00 - 10:00 y 12:00 - 13:00", ["26 09:00-10:00", "26 12:00-13:00"]),
        ("09:00\u201310:00, 11:00\u201312:00", ["26 09:00-10:00", "26 11:00-12:00"]),
        ("9:00-10:00 / 11:00-12:00", ["26 09:00-10:00", "26 11:00-12:00"]),
        ("10.00-11.30", ["26 10:00-11:30"]),
        ("14h30-16h", ["26 14:30-16:00"]),
        ("10-12h", ["26 10:00-12:00"]),
        ("9am-11am", ["26 09:00-11:00"]), ("2-4pm", ["26 14:00-16:00"]), ("10am-1pm", ["26 10:00-13:00"]),
        ("10-2pm", ["26 10:00-14:00"]),
        ("from 10 to 12", ["26 10:00-12:00"]), ("between 10 and 12", ["26 10:00-12:00"]),
        ("entre las 10 y las 12", ["26 10:00-12:00"]), ("de 9h à 11h", ["26 09:00-11:00"]),
        ("von 9 bis 11 Uhr", ["26 09:00-11:00"]), ("dalle 9 alle 11", ["26 09:00-11:00"]),
        ("das 9 às 11", ["26 09:00-11:00"]),
        ("desde las 15", ["26 15:00-18:00"]), ("15:00 en adelante", ["26 15:00-18:00"]),
        ("hasta las 11:00", ["26 09:00-11:00"]), ("until 11", ["26 09:00-11:00"]),
        ("mañana", ["26 09:00-13:00"]), ("Nachmittag", ["26 13:00-18:00"]), ("toute la journée", ["26 09:00-18:00"]),
        ("morning; 16:00-17:00", ["26 09:00-13:00", "26 16:00-17:00"]),
        ("jueves 26 de 9 a 11", ["26 09:00-11:00"]), ("26 de noviembre de 9 a 11", ["26 09:00-11:00"]),
        ("November 26, 9:00-10:00", ["26 09:00-10:00"]), ("Do 26.11. 9-10", ["26 09:00-10:00"]),
        ("26/11/2026 9:00-10:00; 11:00-12:00", ["26 09:00-10:00", "26 11:00-12:00"]),
        ("2026-11-26 10:00-11:00", ["26 10:00-11:00"]),
    ],
)  # fmt: skip
def test_times_of_an_edition_of_a_day_are_read(text: str, spans: list[str]) -> None:
    assert read(text, THURSDAY) == spans


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("26/11 9-10; 27/11 11:00-", ["26 09:00-10:00", "27 11:00-14:00"]),
        ("viernes", ["27 09:00-14:00"]),
        ("Thursday morning; Freitag Vormittag", ["26 09:00-13:00", "27 09:00-13:00"]),
        ("siempre", ["26 09:00-18:00", "27 09:00-14:00"]),
    ],
)
def test_days_of_an_edition_of_several_days_are_named(text: str, spans: list[str]) -> None:
    assert read(text, THURSDAY, FRIDAY) == spans


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("10:00-12:00", "write the date too, such as 2026-11-26 10:00-12:00"),
        ("26/11 soon", "is no time: write it as 10:00-12:00"),
        ("26/11 10:00", "is no time: write it as 10:00-12:00"),
        ("26/11 25:00-26:00", "is no time of a day"),
        ("26/11 12-10", "the end is not after the start"),
        ("28/11", "'28/11' is no day of the edition, which is on 2026-11-26, 2026-11-27"),
        ("martes", "'martes' is no day of the edition"),
    ],
)
def test_a_text_that_tells_no_time_is_refused_with_the_remedy(text: str, reason: str) -> None:
    with pytest.raises(NoTime, match=reason):
        read(text, THURSDAY, FRIDAY)


def test_the_time_of_a_marked_column_is_that_of_a_slot() -> None:
    assert read("10:00:00", THURSDAY, slot=timedelta(minutes=20)) == ["26 10:00-10:20"]


def test_marks_below_headings_are_answers() -> None:
    lines = marked("09:00-10:00\tx\n10:00-11:00\tno\n11:00-12:00\tS\u00ed")
    assert [line.text for line in lines] == ["09:00-10:00", "11:00-12:00"]
    with pytest.raises(Invalid):
        marked("09:00-10:00\tperhaps")


def test_spans_that_touch_are_one() -> None:
    spans = spans_of("11:00-12:00; 9:00-10:00; 10:00-11:00", [THURSDAY])
    assert [f"{starts:%H}-{ends:%H}" for starts, ends in joined(spans)] == ["09-12"]
