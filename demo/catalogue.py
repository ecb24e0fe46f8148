"""The demo's raw material: fields of industry, names, phrases and the programme, as they stand in the TOML files."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo


def _load(name: str) -> dict[str, Any]:
    return tomllib.loads(resources.files(__package__).joinpath(name).read_text(encoding="utf-8"))


@cache
def people() -> dict[str, Any]:
    """Names, regions, institutions and what they look for."""
    return _load("people.toml")


@cache
def industries() -> dict[str, dict[str, Any]]:
    """Each field of industry by its key."""
    return {topic["key"]: topic for topic in _load("industries.toml")["topic"]}


#: The fields that only institutions offer.
INSTITUTIONAL = frozenset({"research_materials", "research_ai", "funding", "export", "training"})


@dataclass(frozen=True)
class Stretch:
    """A stretch of the day, in local time."""

    starts_at: datetime
    ends_at: datetime

    def overlaps(self, other: Stretch) -> bool:
        """Whether the two share any moment."""
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
        """`HH:MM` of the edition's day, with its zone."""
        return datetime.combine(self.day, time.fromisoformat(clock), tzinfo=ZoneInfo(self.timezone))

    def stretch(self, starts: str, ends: str) -> Stretch:
        """From `HH:MM` to `HH:MM`."""
        return Stretch(self.at(starts), self.at(ends))

    def slots(self) -> tuple[Stretch, ...]:
        """The stretches of `slot_minutes` in which an encounter fits: none over a break."""
        length = timedelta(minutes=self.slot_minutes)
        pauses = [self.stretch(*pause) for pause in self.breaks]
        slots, begins = [], self.at(self.starts)
        while begins + length <= self.at(self.ends):
            slot = Stretch(begins, begins + length)
            blocked = [pause for pause in pauses if pause.overlaps(slot)]
            begins = blocked[0].ends_at if blocked else slot.ends_at
            if not blocked:
                slots.append(slot)
        return tuple(slots)


@cache
def programme() -> Programme:
    """The programme of `programme.toml`."""
    raw = _load("programme.toml")
    return Programme(
        name=raw["name"],
        timezone=raw["timezone"],
        day=date.fromisoformat(raw["date"]),
        starts=raw["starts"],
        ends=raw["ends"],
        breaks=tuple((starts, ends) for starts, ends in raw["breaks"]),
        slot_minutes=raw["slot_minutes"],
        sessions=tuple(raw["session"]),
    )
