"""What the load has written and registration has acknowledged: all that the verifier knows of what should be."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from typing import Any

from demo.plan import Payload

#: The collections of the HTTP API, and what the id of a thing of each is called.
IDS = {
    "editions": "edition_id",
    "organisations": "organisation_id",
    "participants": "participant_id",
    "match-requests": "request_id",
}


@dataclass
class Written:
    """A thing that was written: what was last said of it, and how many writes made it so.

    Each write was made on the revision before it, or is one that can be made once only: so its number is the revision.
    """

    kind: str
    edition_id: str
    thing_id: str
    said: Payload
    revision: int = 1
    busy: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False, compare=False)

    def write(self, said: Payload) -> None:
        """One more write was acknowledged."""
        self.said = {**self.said, **said}
        self.revision += 1

    @property
    def path(self) -> str:
        """Where the API has it."""
        if self.kind == "editions":
            return f"/editions/{self.thing_id}"
        return f"/editions/{self.edition_id}/{self.kind}/{self.thing_id}"


@dataclass
class History:
    """Everything written, by kind and id; how many calls were refused; and what no answer can explain."""

    things: dict[tuple[str, str], Written] = field(default_factory=dict)
    writes: int = 0
    refused: int = 0
    unexplained: list[str] = field(default_factory=list)

    def of(self, kind: str, edition_id: str | None = None) -> list[Written]:
        """The things of a kind, of one edition or of all."""
        return [each for each in self.things.values() if each.kind == kind and edition_id in {None, each.edition_id}]

    def add(self, thing: Written) -> Written:
        """A thing was made."""
        self.writes += 1
        self.things[thing.kind, thing.thing_id] = thing
        return thing

    def write(self, thing: Written, said: Payload) -> None:
        """A thing was changed."""
        self.writes += 1
        thing.write(said)


def holds(said: Any, actual: Any) -> bool:
    """Whether what is there says what was said: every field of it, moments and hours compared as such."""
    if isinstance(said, dict):
        return isinstance(actual, dict) and all(
            name in actual and holds(value, actual[name]) for name, value in said.items()
        )
    if isinstance(said, list | tuple):
        return (
            isinstance(actual, list | tuple)
            and len(said) == len(actual)
            and all(holds(one, other) for one, other in zip(said, actual, strict=True))
        )
    if isinstance(said, str) and isinstance(actual, str) and said != actual:
        one, other = _time(said), _time(actual)
        return one is not None and one == other
    return bool(said == actual)


def _time(text: str) -> datetime | time | None:
    """The moment or the hour it stands for, if any."""
    with contextlib.suppress(ValueError):
        return time.fromisoformat(text)
    with contextlib.suppress(ValueError):
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else None
    return None
