"""Times in which people can meet, as they write them: `10:00-12:00; 15:00-`, `morning`, `jueves 26 de 9 a 11`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from functools import cache
from itertools import zip_longest
from typing import Final, NamedTuple

from babel import Locale

from services.registration.domain.errors import FieldError, Invalid
from services.registration.domain.slots import Day
from services.registration.imports.words import WORDS, plain, yes_or_no

_LANGUAGES: Final = ("es", "en", "pt", "fr", "de", "it")
_TIME_TEXT: Final = r"(\d{1,2})(?:\s*[:.hH]\s*(\d{2}))?(?::\d{2})?\s*(am|pm|a\.m\.|p\.m\.|h|hs|hrs|uhr|horas|ore)?"
_TIME: Final = re.compile(_TIME_TEXT, re.IGNORECASE)


def _any_of(key: str) -> str:
    """Return the pattern of words, the longest first."""
    words = sorted((word.strip() for word in WORDS[key].split(",")), key=len, reverse=True)
    return f"(?:{'|'.join(map(re.escape, words))})"


_DASH: Final = "[-\u2013\u2014]"
_THE: Final = r"(?:(?:las?|le|das|as|the)\s+)?"
_RANGE: Final = re.compile(rf"{_TIME_TEXT}\s*(?:{_DASH}|{_any_of('to')})\s*{_THE}{_TIME_TEXT}", re.IGNORECASE)
_FROM: Final = re.compile(rf"{_any_of('from')}\s+{_THE}{_TIME_TEXT}", re.IGNORECASE)
_OPEN: Final = re.compile(rf"{_TIME_TEXT}\s*(?:{_DASH}|\+|{_any_of('onwards')})", re.IGNORECASE)
_UNTIL: Final = re.compile(rf"(?:{_DASH}|{_any_of('until')}\s+{_THE})\s*{_TIME_TEXT}", re.IGNORECASE)
_LEAD: Final = re.compile(rf"^{_any_of('between')}\s+{_THE}(?=\d)", re.IGNORECASE)
#: 2026-11-26, 26/11, 26/11/2026, 26.11., 26.11.2026
_DATE: Final = re.compile(
    r"\b(\d{4})-(\d{1,2})-(\d{1,2})\b|\b(\d{1,2})(?:/(\d{1,2})(?:/(?:\d{4}|\d{2}))?(?![\d/])|\.(\d{1,2})\.(?:\d{4}|\d{2}\b)?)"
)
#: 26 de noviembre, 26. November, November 26
_NAMED_DATE: Final = re.compile(
    r"\b(\d{1,2})(?:\.|th)?\s+(?:de\s+|of\s+)?([^\W\d_]{3,})|\b([^\W\d_]{3,})\s+(\d{1,2})\b(?![:.h])"
)
_PARTS: Final = re.compile(r"[;|\n]|\s/\s|,(?!\d)|\s(?:y|and|und|et|e)\s(?=(?:\D{0,12}\s)?\d{1,2}[:.h])", re.IGNORECASE)
#: The end of a morning, and the beginning of an afternoon.
_NOON: Final = time(13)
_AFTERNOON: Final = 12
_EARLIEST: Final = 8


class NoTime(Exception):
    """A text tells no time; the message holds the part, and the remedy."""


class MarkedLine(NamedTuple):
    """A line of a cell, or the heading of a column with a mark in the cell."""

    text: str
    is_marked: bool


def marked(text: str) -> list[MarkedLine]:
    """Return the lines of a cell, and the headings of columns with marks; those that are marked with no are left.

    Raises:
        Invalid: a mark is neither yes nor no.
    """
    lines = []
    for line in filter(str.strip, text.split("\n")):
        heading, tab, mark = line.partition("\t")
        answer = yes_or_no(mark) if tab else True
        if answer is None:
            raise Invalid(FieldError("", f"{mark[:50]!r} below {heading[:100]!r}: write x or leave the cell empty"))
        lines += [MarkedLine(heading, is_marked=bool(tab))] if answer else []
    return lines


def joined(spans: Sequence[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    """Return the spans in order of time, with spans that touch or overlap as one."""
    found: list[tuple[datetime, datetime]] = []
    for starts, ends in sorted(spans):
        if found and starts <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], ends)
        else:
            found.append((starts, ends))
    return found


def spans_of(text: str, days: Sequence[Day], slot: timedelta | None = None) -> list[tuple[datetime, datetime]]:
    """Return the local times of a text, in its order. With `slot`, a single time is that of a slot.

    Raises:
        NoTime: a part tells no time, or no day where the edition has several.
    """
    spans: list[tuple[datetime, datetime]] = []
    chosen: list[Day] = []
    parts = [(part.strip(), *_days_in(part.strip(), days)) for part in _PARTS.split(text) if part.strip()]
    for (part, stated, rest), following in zip_longest(parts, parts[1:]):
        # A part without a day is of the day before it: "26/11 9:00-10:00; 11:00-12:00".
        chosen = stated or chosen
        # "November 26, 9:00-10:00": the day of the times behind it.
        if rest or following is None or following[1]:
            spans += _spans_on(part, rest, chosen, days, slot)
    return spans


def _spans_on(
    part: str, rest: str, chosen: Sequence[Day], days: Sequence[Day], slot: timedelta | None
) -> Iterator[tuple[datetime, datetime]]:
    words = plain(rest)
    if (chosen and not words) or words in _words("all_day"):
        yield from (_hours(day, day.starts, day.ends) for day in chosen or days)
    elif words in _words("morning"):
        yield from (_hours(day, day.starts, min(_NOON, _end(day))) for day in chosen or days if day.starts < _NOON)
    elif words in _words("afternoon"):
        yield from (_hours(day, max(_NOON, day.starts), day.ends) for day in chosen or days if _end(day) > _NOON)
    else:
        if not chosen and len(days) > 1:
            raise NoTime(f"{part[:50]!r}: write the date too, such as {days[0].date} {rest[:30]}")
        yield from (_span(part, rest, day, slot) for day in chosen or days)


def _span(part: str, rest: str, day: Day, slot: timedelta | None) -> tuple[datetime, datetime]:
    text = rest.strip()
    if found := _RANGE.fullmatch(_LEAD.sub("", text)):
        starts, ends = _time(found.groups()[:3], part, found[6]), _time(found.groups()[3:], part)
    elif found := _FROM.fullmatch(text) or _OPEN.fullmatch(text):
        starts, ends = _time(found.groups(), part), day.ends
    elif found := _UNTIL.fullmatch(text):
        starts, ends = day.starts, _time(found.groups(), part)
    elif slot and (found := _TIME.fullmatch(text)):
        starts = _time(found.groups(), part)
        return datetime.combine(day.date, starts), datetime.combine(day.date, starts) + slot
    else:
        raise NoTime(f"{part[:50]!r} is no time: write it as 10:00-12:00")
    if ends != time(0) and ends <= starts:
        raise NoTime(f"{part[:50]!r}: the end is not after the start")
    return _hours(day, starts, ends)


def _hours(day: Day, starts: time, ends: time) -> tuple[datetime, datetime]:
    last = day.date + timedelta(days=1) if ends == time(0) else day.date
    return datetime.combine(day.date, starts), datetime.combine(last, ends)


def _end(day: Day) -> time:
    return time.max if day.ends == time(0) else day.ends


def _time(groups: Sequence[str | None], part: str, mark_behind: str | None = None) -> time:
    """Return a time of hour, minute, and a mark such as `pm`. `10-12pm` has its mark behind."""
    hour, minute = int(groups[0] or 0), int(groups[1] or 0)
    mark, later = ((text or "").lower().replace(".", "") for text in (groups[2], mark_behind))
    # "2-4pm" is of the afternoon, "10-2pm" begins before noon.
    if hour < _AFTERNOON and (mark == "pm" or (not mark and later == "pm" and hour < _EARLIEST)):
        hour += _AFTERNOON
    elif mark == "am" and hour == _AFTERNOON:
        hour = 0
    try:
        return time(0 if hour == 24 and not minute else hour, minute)  # noqa: PLR2004 - midnight
    except ValueError:
        raise NoTime(f"{part[:50]!r} is no time of a day: write it as 10:00-12:00") from None


def _days_in(part: str, days: Sequence[Day]) -> tuple[list[Day], str]:
    """Return the days of the edition that a text names, and the text without them; no day if it names none.

    Raises:
        NoTime: the text names a day that is not one of the edition's.
    """
    if stated := _date_in(part):
        month_and_day, place, ends = stated
        chosen = [day for day in days if (day.date.month, day.date.day) == month_and_day]
        if not chosen:
            raise NoTime(f"{part[place:ends][:50]!r} is no day of the edition, which is on {_listed(days)}")
        words = f"{part[:place]} {part[ends:]}".replace(",", " ").split()
        return chosen, " ".join(word for word in words if plain(word) not in _weekdays()).strip(" :")
    return _weekdays_in(part, days)


def _date_in(part: str) -> tuple[tuple[int, int], int, int] | None:
    """Return month and day of the date that a text states, and its place in the text; None without one."""
    if found := _DATE.search(part):
        month, day = (found[2], found[3]) if found[1] else (found[5] or found[6], found[4])
        return (int(month), int(day)), found.start(), found.end()
    for found in _NAMED_DATE.finditer(part):
        name, day = (found[2], found[1]) if found[2] else (found[3], found[4])
        if month := _months().get(plain(name)):
            return (month, int(day)), found.start(), found.end()
    return None


def _weekdays_in(part: str, days: Sequence[Day]) -> tuple[list[Day], str]:
    kept: list[str] = []
    chosen: list[Day] = []
    for word in part.replace(",", " ").split():
        named = [day for day in days if plain(word) in _names_of(day.date)]
        if not named and plain(word) in _weekdays():
            raise NoTime(f"{word[:50]!r} is no day of the edition, which is on {_listed(days)}")
        chosen += named
        kept += [] if named else [word]
    # "jueves 26 de 9 a 11": the number of the day.
    if chosen and kept and kept[0] in {str(day.date.day) for day in chosen} and not _RANGE.match(" ".join(kept)):
        kept.pop(0)
    return (chosen, " ".join(kept).strip(" :")) if chosen else ([], part)


def _listed(days: Sequence[Day]) -> str:
    return ", ".join(str(day.date) for day in days[:5])


@cache
def _names_of(day: date) -> frozenset[str]:
    """Return the names of a weekday in the six languages, in full and short."""
    names = (Locale(code).days["format"][width][day.weekday()] for code in _LANGUAGES for width in _WIDTHS)
    return frozenset(plain(name) for name in names)


_WIDTHS: Final = ("wide", "abbreviated")


@cache
def _weekdays() -> frozenset[str]:
    return frozenset(name for number in range(1, 8) for name in _names_of(date(2024, 1, number)))


@cache
def _months() -> dict[str, int]:
    return {
        plain(name): number
        for code in _LANGUAGES
        for width in _WIDTHS
        for number, name in Locale(code).months["format"][width].items()
    }


@cache
def _words(key: str) -> frozenset[str]:
    return frozenset(plain(word) for word in WORDS[key].split(","))
