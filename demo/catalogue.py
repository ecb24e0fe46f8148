"""The contents of the demo's TOML files: industries, names, phrases and the programme."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo


def _load(name: str) -> dict[str, Any]:
    return tomllib.loads(resources.files(__package__).joinpath(name).read_text(encoding="utf-8"))


@cache
def people() -> dict[str, Any]:
    """Names, regions, and institutions with their needs."""
    return _load("people.toml")


@cache
def industries() -> dict[str, dict[str, Any]]:
    """The industries, by key."""
    return {topic["key"]: topic for topic in _load("industries.toml")["topic"]}


#: Least number of days between a run of the demo and the day of its edition.
DAYS_BEFORE = 30

#: Keys of the industries that only institutions have.
INSTITUTIONAL = frozenset({"research_materials", "research_ai", "funding", "export", "training"})


@dataclass(frozen=True)
class LocalInterval:
    """An interval of the day, in local time."""

    starts_at: datetime
    ends_at: datetime

    def overlaps(self, other: LocalInterval) -> bool:
        """True if the two intervals share any moment."""
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at


@dataclass(frozen=True)
class Programme:
    """The edition's day: its slots, its breaks and its sessions."""

    name: str
    timezone: str
    day: date
    starts: str
    ends: str
    breaks: tuple[tuple[str, str], ...]
    slot_minutes: int
    sessions: tuple[dict[str, str], ...]

    def at(self, clock: str) -> datetime:
        """Return `HH:MM` of the edition's day, in its time zone."""
        return datetime.combine(self.day, time.fromisoformat(clock), tzinfo=ZoneInfo(self.timezone))

    def interval(self, starts: str, ends: str) -> LocalInterval:
        """Return the interval from `HH:MM` to `HH:MM`."""
        return LocalInterval(self.at(starts), self.at(ends))

    def slots(self) -> tuple[LocalInterval, ...]:
        """Return the slots: intervals of `slot_minutes`, none over a break."""
        length = timedelta(minutes=self.slot_minutes)
        pauses = [self.interval(*pause) for pause in self.breaks]
        slots, begins = [], self.at(self.starts)
        while begins + length <= self.at(self.ends):
            slot = LocalInterval(begins, begins + length)
            blocked = [pause for pause in pauses if pause.overlaps(slot)]
            begins = blocked[0].ends_at if blocked else slot.ends_at
            if not blocked:
                slots.append(slot)
        return tuple(slots)


def coming(day: date, today: date) -> date:
    """Return the day in the first year in which it is at least `DAYS_BEFORE` days away: a past day has no free slot."""
    while day < today + timedelta(days=DAYS_BEFORE):
        day = day.replace(year=day.year + 1)
    return day


@cache
def programme() -> Programme:
    """The programme of `programme.toml`."""
    raw = _load("programme.toml")
    return Programme(
        name=raw["name"],
        timezone=raw["timezone"],
        day=coming(date.fromisoformat(raw["date"]), datetime.now(UTC).date()),
        starts=raw["starts"],
        ends=raw["ends"],
        breaks=tuple((starts, ends) for starts, ends in raw["breaks"]),
        slot_minutes=raw["slot_minutes"],
        sessions=tuple(raw["session"]),
    )
