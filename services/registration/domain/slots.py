"""Slots of local days. Only this module converts local times of an edition to UTC."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from operator import itemgetter
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.contract.events import Slot

MOST_SLOTS = 500
_MIDNIGHT = time(0)
#: Beyond these dates, arithmetic with time zones overflows.
_FIRST_DAY = date(2000, 1, 1)
_LAST_DAY = date(2199, 12, 30)
LocalDate = Annotated[date, Field(ge=_FIRST_DAY, le=_LAST_DAY)]


#: The start and the end of a stretch of time, in UTC.
Span = tuple[datetime, datetime]


class Hours(BaseModel):
    """A stretch of a local day. `ends` of 00:00 is the midnight at the end of the day."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    starts: time
    ends: time

    @model_validator(mode="after")
    def _runs_forwards(self) -> Self:
        if self.starts.tzinfo or self.ends.tzinfo:
            raise ValueError("hours are local times, without an offset")
        if self.ends != _MIDNIGHT and self.ends <= self.starts:
            raise ValueError("ends must be after starts (a night past midnight is two days)")
        return self


class Day(Hours):
    """A day of an edition in local time. No slots lie in its breaks."""

    date: LocalDate
    breaks: tuple[Hours, ...] = Field(default=(), max_length=20)


class LocalCalendar(BaseModel):
    """The time zone of an edition, and the days by which it was postponed in all. Local times move with both."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    timezone: str
    postponed_days: int = 0

    def moved(self, moment: datetime, to: LocalCalendar) -> datetime:
        """Return the moment in UTC that has the same local time on another calendar, as many days later.

        A local time that clocks skip becomes the time after the gap. A moment beyond the year 2199 stays.
        """
        days = timedelta(days=to.postponed_days - self.postponed_days)
        try:
            local = moment.astimezone(ZoneInfo(self.timezone)).replace(tzinfo=None) + days
            later = local.replace(tzinfo=ZoneInfo(to.timezone)).astimezone(UTC)
        except OverflowError:
            return moment
        return later if _FIRST_DAY < later.date() < _LAST_DAY else moment


def days_moved(before: Sequence[Day], after: Sequence[Day]) -> int:
    """Return the number of days by which all days of an edition have moved; 0 if they have not moved alike."""
    dates, moved_dates = sorted(day.date for day in before), sorted(day.date for day in after)
    if len(dates) != len(moved_dates):
        return 0
    moves = {moved - date for date, moved in zip(dates, moved_dates, strict=True)}
    return moves.pop().days if len(moves) == 1 else 0


def instant(moment: datetime, timezone: str) -> datetime:
    """Return a moment in UTC. Without an offset it is a local time of `timezone`: the earlier of two if clocks go back.

    Raises:
        ValueError: clocks skip that local time, or it is not between the years 2000 and 2199.
    """
    if not _FIRST_DAY.year <= moment.year <= _LAST_DAY.year:
        raise ValueError(f"the year must be {_FIRST_DAY.year} to {_LAST_DAY.year}")
    if moment.tzinfo:
        return moment.astimezone(UTC)
    zone = ZoneInfo(timezone)
    utc = moment.replace(tzinfo=zone).astimezone(UTC)
    if utc.astimezone(zone).replace(tzinfo=None) != moment:
        raise ValueError(f"{moment:%Y-%m-%d %H:%M} does not exist in {timezone}: clocks skip it")
    return utc


def slots_of(days: Sequence[Day], slot_minutes: int, timezone: str) -> tuple[Slot, ...]:
    """Return all slots of an edition in time order, numbered from 0. A new slot starts at the end of each break.

    Raises:
        ValueError: days overlap, a time is skipped by the clocks, or there are more than 500 slots.
    """
    spans = sorted(((day_span(day, timezone), day) for day in days), key=itemgetter(0))
    for (before, _), (after, _) in pairwise(spans):
        if after[0] < before[1]:
            raise ValueError(f"two days overlap at {after[0]:%Y-%m-%d %H:%M} UTC")
    length = timedelta(minutes=slot_minutes)
    starts = [at for span, day in spans for free in _free(span, day, timezone) for at in _cut(free, length)]
    if len(starts) > MOST_SLOTS:
        raise ValueError(f"the days hold {len(starts)} slots of {slot_minutes} minutes; at most {MOST_SLOTS} fit")
    return tuple(Slot(index=index, starts_at=at, ends_at=at + length) for index, at in enumerate(starts))


def local_time(moment: datetime, timezone: str) -> datetime:
    """Return a moment as a local time without an offset; a moment without an offset is local already."""
    return moment.astimezone(ZoneInfo(timezone)).replace(tzinfo=None) if moment.tzinfo else moment


def local_date(moment: datetime, timezone: str) -> date:
    """Return the local date of a moment."""
    return moment.astimezone(ZoneInfo(timezone)).date()


def day_span(day: Day, timezone: str) -> Span:
    """Return the start and the end of a day, in UTC. Raises `ValueError` as `instant`."""
    return hours_span(day.date, day, timezone)


def hours_span(on: date, hours: Hours, timezone: str) -> Span:
    """Return the start and the end of hours of a date, in UTC. Raises `ValueError` as `instant`."""
    last = on + timedelta(days=1) if hours.ends == _MIDNIGHT else on
    return (
        instant(datetime.combine(on, hours.starts), timezone),
        instant(datetime.combine(last, hours.ends), timezone),
    )


def _free(span: Span, day: Day, timezone: str) -> Iterator[Span]:
    """Yield the stretches of a day between its breaks."""
    at, end = span
    for break_starts, break_ends in sorted(hours_span(day.date, pause, timezone) for pause in day.breaks):
        if break_starts > at:
            yield at, min(break_starts, end)
        at = max(at, break_ends)
    if at < end:
        yield at, end


def _cut(span: Span, length: timedelta) -> Iterator[datetime]:
    at, end = span
    while at + length <= end:
        yield at
        at += length
