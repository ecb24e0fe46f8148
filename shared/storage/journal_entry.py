"""The records of a journal and the store that keeps them: entries and snapshots."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any, Protocol

import orjson

#: Bytes of JSON from which a state is worth a snapshot and a thread to read it: reading it takes a tenth of a second.
LARGE = 1 << 18
#: Bytes of JSON of the changes in an entry. A document holds 16 MB, and the loop stands still while one is encoded.
PART_BYTES = 1 << 20


class SequenceTaken(Exception):
    """Another process has written the entry with this sequence number in the edition's journal."""


@dataclass
class Entry:
    """An entry of a journal: the positions of its inputs, its changes and its outgoing messages.

    A large decision is written in several entries: this is `part` of `parts`. The last part has the positions and the
    messages. A decision counts once all its parts are there (ADR 0073).
    """

    edition_id: str
    seq: int
    at: datetime
    #: `"<topic>/<partition>": offset` of the last input of each partition, for audits. Repeats are found by revision.
    applied: dict[str, int]
    changes: list[dict[str, Any]]
    outbox: list[dict[str, Any]]
    published: bool
    part: int = 1
    parts: int = 1

    @cached_property
    def size(self) -> int:
        """The size of the changes in bytes of JSON."""
        return len(orjson.dumps(self.changes))


def in_parts(decision: Entry) -> list[Entry]:
    """Return the entries to write for a decision: one, or several if its changes are too large. A change is not cut."""
    parts: list[list[dict[str, Any]]] = [[]]
    size = 0
    for change in decision.changes:
        bytes_of_change = len(orjson.dumps(change))
        if parts[-1] and size + bytes_of_change > PART_BYTES:
            parts.append([])
            size = 0
        parts[-1].append(change)
        size += bytes_of_change
    first, count = replace(decision, applied={}, outbox=[], published=True), len(parts)
    entries = [
        replace(first, seq=decision.seq + number, changes=changes, part=number + 1, parts=count)
        for number, changes in enumerate(parts[:-1])
    ]
    return [*entries, replace(decision, seq=decision.seq + count - 1, changes=parts[-1], part=count, parts=count)]


def whole_decisions(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Yield an entry for every decision, with the sequence number of its last part.

    A decision without all its parts has no effect: its entry has no changes. Its writer has ended in between, and the
    inputs came again.
    """
    parts: list[Entry] = []
    for entry in entries:
        if parts and (entry.part, entry.parts) != (parts[-1].part + 1, parts[-1].parts):
            yield _without_effect(parts[-1])
            parts = []
        parts.append(entry)
        if entry.part == entry.parts:
            yield entry if entry.parts == 1 else _merged(parts)
            parts = []
    if parts:
        yield _without_effect(parts[-1])


def _merged(parts: list[Entry]) -> Entry:
    if parts[0].part != 1:
        return _without_effect(parts[-1])
    changes = [change for part in parts for change in part.changes]
    return replace(parts[-1], changes=changes, part=1, parts=1)


def _without_effect(part: Entry) -> Entry:
    return replace(part, applied={}, changes=[], outbox=[], published=True, part=1, parts=1)


@dataclass(frozen=True)
class StateSnapshot:
    """The state after an entry, so that loading an edition need not fold its journal from the first entry."""

    edition_id: str
    seq: int
    state: bytes


class JournalStore(Protocol):
    """Stores entries and snapshots. `MongoJournalStore` and `InMemoryJournalStore` pass the same contract tests."""

    async def append(self, entry: Entry) -> None:
        """Insert an entry. Raise `SequenceTaken` if the edition has an entry of that sequence number."""

    async def entries(self, edition_id: str, after: int) -> list[Entry]:
        """Return the decisions after the entry `after`, in order: see `whole_decisions`."""

    async def unpublished(self, before: datetime, limit: int) -> list[Entry]:
        """Return the oldest unpublished entries written before a moment, in order for every edition."""

    async def waiting(self) -> tuple[int, datetime | None]:
        """Return the number of unpublished entries, and the time of the oldest of them."""

    async def mark_published(self, entry: Entry) -> None:
        """Record that the messages of an entry were sent."""

    async def snapshot(self, edition_id: str) -> StateSnapshot | None:
        """Return the newest snapshot, None if the edition has no snapshot."""

    async def save_snapshot(self, snapshot: StateSnapshot) -> None:
        """Replace the edition's snapshot."""

    async def editions(self) -> list[str]:
        """Return the ids of all editions that have a journal."""
