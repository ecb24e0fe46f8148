"""Journal stores: in MongoDB, and in memory for component tests. Both pass the same contract tests."""

from __future__ import annotations

import asyncio
import zlib
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

import orjson
from pymongo import ASCENDING

from shared.runtime.retry import Unready
from shared.storage.journal_entry import LARGE, Entry, SequenceTaken, StateSnapshot, whole_decisions
from shared.storage.mongo import DuplicateKeyError, MongoDatabase

#: Fields that an entry's document holds as JSON text. No query reads inside them, so the database need not parse them
#: at each write (ADR 0025).
_TEXTS = ("applied", "changes", "outbox")


class MongoJournalStore:
    """A store of two collections: `journal`, a document for an entry, and `snapshots`, a document for an edition.

    Snapshots are compressed: as plain JSON, the state of an edition of 10,000 participants exceeds MongoDB's 16 MB.
    """

    def __init__(self, database: MongoDatabase) -> None:
        self._entries = database["journal"]
        self._snapshots = database["snapshots"]

    async def prepare(self) -> None:
        """Create the indexes."""
        await self._entries.create_index([("edition_id", ASCENDING), ("seq", ASCENDING)], unique=True)
        await self._entries.create_index([("published", ASCENDING), ("at", ASCENDING)])

    async def append(self, entry: Entry) -> None:
        """Insert an entry. Raise `SequenceTaken` if the edition has an entry of that sequence number."""
        try:
            await self._entries.insert_one(document_of(entry))
        except DuplicateKeyError as error:
            raise SequenceTaken(_entry_id(entry)) from error

    async def entries(self, edition_id: str, after: int) -> list[Entry]:
        """Return the decisions after the entry `after`, in order: see `whole_decisions`."""
        found = self._entries.find({"edition_id": edition_id, "seq": {"$gt": after}}).sort("seq", ASCENDING)
        return list(whole_decisions([entry_of(document) async for document in found]))

    async def unpublished(self, before: datetime, limit: int) -> list[Entry]:
        """Return the oldest unpublished entries written before a moment, in order for every edition."""
        query = {"published": False, "at": {"$lt": before}}
        found = self._entries.find(query).sort([("edition_id", ASCENDING), ("seq", ASCENDING)]).limit(limit)
        return [entry_of(document) async for document in found]

    async def waiting(self) -> tuple[int, datetime | None]:
        """Return the number of unpublished entries, and the time of the oldest of them."""
        oldest = self._entries.find({"published": False}, {"at": 1}).sort("at", ASCENDING).limit(1)
        since = [document["at"] async for document in oldest]
        return await self._entries.count_documents({"published": False}), since[0] if since else None

    async def mark_published(self, entry: Entry) -> None:
        """Record that the messages of an entry were sent."""
        await self._entries.update_one({"_id": _entry_id(entry)}, {"$set": {"published": True}})

    async def snapshot(self, edition_id: str) -> StateSnapshot | None:
        """Return the newest snapshot, None if the edition has no snapshot."""
        document = await self._snapshots.find_one({"_id": edition_id})
        return document and StateSnapshot(edition_id, document["seq"], zlib.decompress(document["state"]))

    async def save_snapshot(self, snapshot: StateSnapshot) -> None:
        """Replace the edition's snapshot."""
        compress = partial(zlib.compress, snapshot.state)
        # Compression takes 20 ms a megabyte, and releases the interpreter lock meanwhile.
        state = compress() if len(snapshot.state) < LARGE else await asyncio.to_thread(compress)
        document = {"seq": snapshot.seq, "state": state}
        await self._snapshots.update_one({"_id": snapshot.edition_id}, {"$set": document}, upsert=True)

    async def editions(self) -> list[str]:
        """Return the ids of all editions that have a journal: an edition has exactly one first entry."""
        return [document["edition_id"] async for document in self._entries.find({"seq": 1}, {"edition_id": 1})]


class InMemoryJournalStore:
    """Journals in the memory of a process, lost when it ends."""

    def __init__(self) -> None:
        self._entries: dict[tuple[str, int], Entry] = {}
        self._snapshots: dict[str, StateSnapshot] = {}

    async def append(self, entry: Entry) -> None:
        """Insert an entry. Raise `SequenceTaken` if the edition has an entry of that sequence number."""
        place = (entry.edition_id, entry.seq)
        if place in self._entries:
            raise SequenceTaken(_entry_id(entry))
        self._entries[place] = replace(entry)

    async def entries(self, edition_id: str, after: int) -> list[Entry]:
        """Return the decisions after the entry `after`, in order: see `whole_decisions`."""
        found = (
            replace(entry)
            for (edition, seq), entry in sorted(self._entries.items())
            if edition == edition_id and seq > after
        )
        return list(whole_decisions(found))

    async def unpublished(self, before: datetime, limit: int) -> list[Entry]:
        """Return the oldest unpublished entries written before a moment, in order for every edition."""
        found = [e for _, e in sorted(self._entries.items()) if not e.published and e.at < before]
        return [replace(entry) for entry in found[:limit]]

    async def waiting(self) -> tuple[int, datetime | None]:
        """Return the number of unpublished entries, and the time of the oldest of them."""
        times = [entry.at for entry in self._entries.values() if not entry.published]
        return len(times), min(times, default=None)

    async def mark_published(self, entry: Entry) -> None:
        """Record that the messages of an entry were sent."""
        self._entries[entry.edition_id, entry.seq].published = True

    async def snapshot(self, edition_id: str) -> StateSnapshot | None:
        """Return the newest snapshot, None if the edition has no snapshot."""
        return self._snapshots.get(edition_id)

    async def save_snapshot(self, snapshot: StateSnapshot) -> None:
        """Replace the edition's snapshot."""
        self._snapshots[snapshot.edition_id] = snapshot

    async def editions(self) -> list[str]:
        """Return the ids of all editions that have a journal."""
        return [edition for edition, seq in self._entries if seq == 1]


def _entry_id(entry: Entry) -> str:
    return f"{entry.edition_id}:{entry.seq}"


def entry_of(document: dict[str, Any]) -> Entry:
    """Return the entry of a document of `journal`.

    Raises:
        Unready: the document has the format of a version before entries were text.
    """
    fields = {name: document[name] for name in Entry.__dataclass_fields__ if name in document}
    if not isinstance(fields["changes"], str):
        raise Unready(
            f"entry {document['_id']} of the journal has the format of an old version: run `tertulia rebuild`"
        )
    return Entry(**fields | {name: orjson.loads(fields[name]) for name in _TEXTS})


def document_of(entry: Entry) -> dict[str, Any]:
    """Return the document of `journal` for an entry."""
    texts = {name: orjson.dumps(getattr(entry, name)).decode() for name in _TEXTS}
    return {"_id": _entry_id(entry), **vars(entry), **texts}
