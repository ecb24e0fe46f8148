"""A calendar program that follows RFC 5546 strictly: it keeps an entry's newest state, whatever the order of mails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

#: Methods of a file that an attendee's program accepts.
_METHODS = frozenset({"PUBLISH", "REQUEST", "CANCEL"})


class FileRefused(Exception):
    """A strict program refuses the file. The message names the entry and the reason."""


@dataclass(frozen=True)
class ReadEvent:
    """A VEVENT as a library reads it."""

    uid: str
    sequence: int
    stamp: datetime
    starts_at: datetime
    ends_at: datetime
    status: str
    location: str
    organizer: str

    @property
    def age(self) -> tuple[int, datetime]:
        """Sort key of the states of an entry: the newest is the greatest (RFC 5546, 2.1.5)."""
        return self.sequence, self.stamp


@dataclass(frozen=True)
class ReadFile:
    """A calendar file as a library reads it. The feed's `method` is empty."""

    method: str
    events: tuple[ReadEvent, ...]


class Shown(NamedTuple):
    """An entry that the program shows."""

    uid: str
    starts_at: datetime
    ends_at: datetime
    location: str


@dataclass
class Mailbox:
    """The calendar of a mailbox. `events` has every known entry by UID, cancelled entries included."""

    events: dict[str, ReadEvent] = field(default_factory=dict)

    def accept(self, file: ReadFile) -> None:
        """Apply the file of a mail.

        Raises:
            FileRefused: the method is unknown, an organizer is missing, an entry ends before it starts, a REQUEST or
                CANCEL has more than an event or none, or a UID comes twice.
        """
        self._check(file)
        self.merge(file)

    def merge(self, file: ReadFile) -> None:
        """Keep the newer state of each entry."""
        for event in file.events:
            known = self.events.get(event.uid)
            if known is None or event.age > known.age:
                status = "CANCELLED" if file.method == "CANCEL" else event.status
                self.events[event.uid] = event if status == event.status else _with_status(event, status)

    def replace(self, file: ReadFile) -> None:
        """Take the answer of a feed: it is the whole calendar."""
        self.events = {event.uid: event for event in file.events}

    def shown(self) -> frozenset[Shown]:
        """Return the entries that are not cancelled."""
        return frozenset(
            Shown(event.uid, event.starts_at, event.ends_at, event.location)
            for event in self.events.values()
            if event.status != "CANCELLED"
        )

    @staticmethod
    def _check(file: ReadFile) -> None:
        if file.method not in _METHODS:
            raise FileRefused(f"the method {file.method!r} is none of {', '.join(sorted(_METHODS))}")
        if file.method != "PUBLISH" and len(file.events) != 1:
            raise FileRefused(f"a {file.method} has {len(file.events)} events instead of one")
        if len({event.uid for event in file.events}) < len(file.events):
            raise FileRefused("two events have the same UID")
        for event in file.events:
            if not event.organizer.lower().startswith("mailto:"):
                raise FileRefused(f"{event.uid} has no organizer")
            if event.ends_at <= event.starts_at:
                raise FileRefused(f"{event.uid} ends before it starts")


def doubles(shown: Sequence[Shown] | frozenset[Shown]) -> int:
    """Count the entries that a program shows twice: another UID with the same times and place."""
    return len(shown) - len({entry[1:] for entry in shown})


def _with_status(event: ReadEvent, status: str) -> ReadEvent:
    fields = {name: getattr(event, name) for name in ReadEvent.__dataclass_fields__} | {"status": status}
    return ReadEvent(**fields)
