"""Where journals are kept: in MongoDB, and in memory for component tests. Both pass one contract suite."""

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
from shared.storage.journal_entry import LARGE, Entry, SequenceTaken, StateSnapshot
from shared.storage.mongo import DuplicateKeyError, MongoDatabase

#: What an entry holds as JSON text: nothing asks the database for what is in it, so it need not take it apart
#: at each write (ADR 0025).
_TEXTS = ("applied", "changes", "outbox")


class MongoJournalStore:
    """Two collections: `journal`, one document an entry, and `snapshots`, one document an edition.

    Snapshots are compressed: the state of a 10,000-person edition would not fit MongoDB's 16 MB as plain JSON.
    """

    def __init__(self, database: MongoDatabase) -> None:
        self._entries = database["journal"]
        self._snapshots = database["snapshots"]

    async def prepare(self) -> None:
        """Create the indexes."""
        await self._entries.create_index([("edition_id", ASCENDING), ("seq", ASCENDING)], unique=True)
        await self._entries.create_index([("published", ASCENDING), ("at", ASCENDING)])

    async def append(self, entry: Entry) -> None:
        """Insert; raise `SequenceTaken` where the edition has an entry of that seq."""
        try:
            await self._entries.insert_one(document_of(entry))
        except DuplicateKeyError as error:
            raise SequenceTaken(_entry_id(entry)) from error

    async def entries(self, edition_id: str, after: int) -> list[Entry]:
        """The entries with a higher seq than `after`, in order."""
        found = self._entries.find({"edition_id": edition_id, "seq": {"$gt": after}}).sort("seq", ASCENDING)
        return [entry_of(document) async for document in found]

    async def unpublished(self, before: datetime, limit: int) -> list[Entry]:
        """The oldest entries written before a moment whose messages are not known to be sent."""
        query = {"published": False, "at": {"$lt": before}}
        found = self._entries.find(query).sort([("edition_id", ASCENDING), ("seq", ASCENDING)]).limit(limit)
        return [entry_of(document) async for document in found]

    async def mark_published(self, entry: Entry) -> None:
        """Note that an entry's messages are sent."""
        await self._entries.update_one({"_id": _entry_id(entry)}, {"$set": {"published": True}})

    async def snapshot(self, edition_id: str) -> StateSnapshot | None:
        """The newest snapshot."""
        document = await self._snapshots.find_one({"_id": edition_id})
        return document and StateSnapshot(edition_id, document["seq"], zlib.decompress(document["state"]))

    async def save_snapshot(self, snapshot: StateSnapshot) -> None:
        """Keep a snapshot in place of an older one."""
        compress = partial(zlib.compress, snapshot.state)
        # It takes 20 ms a megabyte, and lets others run meanwhile.
        state = compress() if len(snapshot.state) < LARGE else await asyncio.to_thread(compress)
        document = {"seq": snapshot.seq, "state": state}
        await self._snapshots.update_one({"_id": snapshot.edition_id}, {"$set": document}, upsert=True)

    async def editions(self) -> list[str]:
        """Every edition that has a journal: each has exactly one first entry."""
        return [document["edition_id"] async for document in self._entries.find({"seq": 1}, {"edition_id": 1})]


class InMemoryJournalStore:
    """Journals of one process, gone when it ends."""

    def __init__(self) -> None:
        self._entries: dict[tuple[str, int], Entry] = {}
        self._snapshots: dict[str, StateSnapshot] = {}

    async def append(self, entry: Entry) -> None:
        """Insert; raise `SequenceTaken` where the edition has an entry of that seq."""
        place = (entry.edition_id, entry.seq)
        if place in self._entries:
            raise SequenceTaken(_entry_id(entry))
        self._entries[place] = replace(entry)

    async def entries(self, edition_id: str, after: int) -> list[Entry]:
        """The entries with a higher seq than `after`, in order."""
        return [
            replace(entry)
            for (edition, seq), entry in sorted(self._entries.items())
            if edition == edition_id and seq > after
        ]

    async def unpublished(self, before: datetime, limit: int) -> list[Entry]:
        """The oldest entries written before a moment whose messages are not known to be sent."""
        found = [e for _, e in sorted(self._entries.items()) if not e.published and e.at < before]
        return [replace(entry) for entry in found[:limit]]

    async def mark_published(self, entry: Entry) -> None:
        """Note that an entry's messages are sent."""
        self._entries[entry.edition_id, entry.seq].published = True

    async def snapshot(self, edition_id: str) -> StateSnapshot | None:
        """The newest snapshot."""
        return self._snapshots.get(edition_id)

    async def save_snapshot(self, snapshot: StateSnapshot) -> None:
        """Keep a snapshot in place of an older one."""
        self._snapshots[snapshot.edition_id] = snapshot

    async def editions(self) -> list[str]:
        """Every edition that has a journal."""
        return [edition for edition, seq in self._entries if seq == 1]


def _entry_id(entry: Entry) -> str:
    return f"{entry.edition_id}:{entry.seq}"


def entry_of(document: dict[str, Any]) -> Entry:
    """The entry that a document of `journal` holds."""
    fields = {name: document[name] for name in Entry.__dataclass_fields__}
    if not isinstance(fields["changes"], str):
        raise Unready(f"entry {document['_id']} of the journal is of a version before entries were text: rebuild it")
    return Entry(**fields | {name: orjson.loads(fields[name]) for name in _TEXTS})


def document_of(entry: Entry) -> dict[str, Any]:
    """The document of `journal` that holds an entry."""
    texts = {name: orjson.dumps(getattr(entry, name)).decode() for name in _TEXTS}
    return {"_id": _entry_id(entry), **vars(entry), **texts}
