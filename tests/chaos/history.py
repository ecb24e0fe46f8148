"""Writes of the load that registration acknowledged: the audit expects exactly these."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from typing import Any

from demo.plan import Payload
from tests.chaos.logs import personal_texts

#: Collections of the HTTP API, and the field with the id of their things.
IDS = {
    "editions": "edition_id",
    "organisations": "organisation_id",
    "participants": "participant_id",
    "match-requests": "request_id",
}

_PERSONAL_KINDS = ("organisations", "participants")


@dataclass
class WrittenThing:
    """A thing in registration, with its last written fields and the number of writes, which is its revision.

    A write names the revision before it, or can succeed only once, so that every acknowledged write adds one revision.
    """

    kind: str
    edition_id: str
    thing_id: str
    fields: Payload
    revision: int = 1
    busy: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False, compare=False)

    def update(self, fields: Payload) -> None:
        """Record an acknowledged write."""
        self.fields = {**self.fields, **fields}
        self.revision += 1

    @property
    def path(self) -> str:
        """Path of the thing in the API."""
        if self.kind == "editions":
            return f"/editions/{self.thing_id}"
        return f"/editions/{self.edition_id}/{self.kind}/{self.thing_id}"


@dataclass
class History:
    """Things written, by kind and id; the number of refused calls; and states that no answer explains.

    `personal` holds the personal texts of all bodies sent, refused bodies included. No log may hold them.
    """

    things: dict[tuple[str, str], WrittenThing] = field(default_factory=dict)
    writes: int = 0
    refused: int = 0
    unexplained: list[str] = field(default_factory=list)
    personal: set[str] = field(default_factory=set)

    def of(self, kind: str, edition_id: str | None = None) -> list[WrittenThing]:
        """Return the things of a kind, of one edition or of all editions."""
        return [
            thing for thing in self.things.values() if thing.kind == kind and edition_id in {None, thing.edition_id}
        ]

    def add(self, thing: WrittenThing) -> WrittenThing:
        """Record the creation of a thing."""
        self.writes += 1
        self.things[thing.kind, thing.thing_id] = thing
        return thing

    def sends(self, kind: str, body: Payload) -> None:
        """Record the personal texts of a body on its way to registration."""
        if kind in _PERSONAL_KINDS:
            self.personal.update(personal_texts(body))

    def update(self, thing: WrittenThing, fields: Payload) -> None:
        """Record the change of a thing."""
        self.writes += 1
        thing.update(fields)


def holds(expected: Any, actual: Any) -> bool:
    """Return whether `actual` has every field of `expected`; moments and times of day are compared by value."""
    if isinstance(expected, dict):
        return isinstance(actual, dict) and all(
            name in actual and holds(value, actual[name]) for name, value in expected.items()
        )
    if isinstance(expected, list | tuple):
        return (
            isinstance(actual, list | tuple)
            and len(expected) == len(actual)
            and all(holds(*items) for items in zip(expected, actual, strict=True))
        )
    if isinstance(expected, str) and isinstance(actual, str) and expected != actual:
        moment = _time(expected)
        return moment is not None and moment == _time(actual)
    return bool(expected == actual)


def _time(text: str) -> datetime | time | None:
    """Parse a moment with a time zone or a time of day; return None for other texts."""
    with contextlib.suppress(ValueError):
        return time.fromisoformat(text)
    with contextlib.suppress(ValueError):
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else None
    return None
