"""The read model in MongoDB: the newest snapshot of every thing, and a head for every edition."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import orjson
from pymongo import ASCENDING

from services.portal.ports import Head, thing_key
from shared.contract.events import Event
from shared.contract.topics import EVENT_TYPES
from shared.storage.mongo import DuplicateKeyError, MongoCollection, MongoDatabase, insert_new

#: Collection of the snapshots: `_id` is `<topic>/<record key>`.
THINGS = "things"
#: Collection of the heads: `_id` is the edition.
HEADS = "heads"
_WRITES_AT_ONCE = 16
_MOST_EDITIONS = 1000


class MongoThings:
    """Reads and writes snapshots: implements `services.portal.ports.ThingStore`."""

    def __init__(self, database: MongoDatabase) -> None:
        self._things = database[THINGS]
        self._heads = database[HEADS]

    async def prepare(self) -> None:
        """Create the index."""
        await self._things.create_index([("edition_id", ASCENDING), ("number", ASCENDING)])

    async def head(self, edition_id: str) -> Head:
        """Return an edition's head; the empty head if nothing is known of it."""
        document = await self._heads.find_one({"_id": edition_id})
        if document is None:
            return Head()
        return Head(document["number"], document["operator_id"], document["is_edition_known"])

    async def heads(self, edition_ids: Sequence[str]) -> dict[str, int]:
        """Return the numbers of the known editions among these."""
        found: dict[str, int] = {}
        for start in range(0, len(edition_ids), _MOST_EDITIONS):
            wanted = {"_id": {"$in": list(edition_ids[start : start + _MOST_EDITIONS])}}
            found |= {document["_id"]: document["number"] async for document in self._heads.find(wanted)}
        return found

    async def upsert(self, edition_id: str, head: Head, events: Sequence[Event]) -> Head:
        """Write events, unless a newer revision of their thing is stored, and raise the head.

        An equal revision is written again: it gets the new number, so that a reader who missed it finds it.
        """
        number = head.number + 1
        documents = [_document_of(event, number) for event in events]
        limit = asyncio.Semaphore(_WRITES_AT_ONCE)

        async def replace(document: dict[str, Any]) -> None:
            async with limit:
                await _replace_older(self._things, document, "revision")

        known = await insert_new(self._things, documents) if len(documents) > 1 else documents
        await asyncio.gather(*map(replace, known))
        fields = {"number": number, "operator_id": head.operator_id, "is_edition_known": head.is_edition_known}
        await _replace_older(self._heads, {"_id": edition_id, **fields}, "number")
        return Head(number, head.operator_id, head.is_edition_known)

    async def newer(self, edition_id: str, number: int) -> list[Event]:
        """Return the things that were written after the head had this number."""
        found = self._things.find({"edition_id": edition_id, "number": {"$gt": number}})
        return [_event_of(document) async for document in found]


async def _replace_older(collection: MongoCollection, document: dict[str, Any], by: str) -> None:
    """Write a document, unless the stored one is newer by the field `by`."""
    older = {"_id": document["_id"], by: {"$lte": document[by]}}
    fields = {name: value for name, value in document.items() if name != "_id"}
    with suppress(DuplicateKeyError):  # a newer document is stored
        await collection.update_one(older, {"$set": fields}, upsert=True)


def _document_of(event: Event, number: int) -> dict[str, Any]:
    """Return the document of a snapshot. No query reads inside the body: it is JSON text."""
    return {
        "_id": thing_key(event),
        "edition_id": event.edition_id,
        "revision": event.revision,
        "number": number,
        "type": event.TYPE,
        "body": orjson.dumps(event.to_json()).decode(),
    }


def _event_of(document: dict[str, Any]) -> Event:
    return EVENT_TYPES[document["type"]].model_validate_json(document["body"])
