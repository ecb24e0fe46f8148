"""The change feeds in MongoDB.

An item is inserted under `<edition>:<number>`: the insert is the fence between two processes that hold an edition, and
leaves no gap. The feed of an operator is a list of references, `<operator>:<number>`, inserted in the same way.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from typing import Any

from pymongo import ASCENDING, DESCENDING
from pymongo.errors import BulkWriteError

from services.events.item import FeedItem
from services.events.ports import FeedHead, IndexRow, NumberTaken, edition_key, operator_key
from shared.storage.mongo import EVER, DuplicateKeyError, MongoCollection, MongoDatabase

#: Collections: items, references of operators' feeds, heads by feed.
ITEMS, REFERENCES, HEADS = "items", "operator_feed", "heads"
_DUPLICATE_KEY = 11000
#: Two processes that append to the feed of an operator at once try again; each round, one of them succeeds.
_ATTEMPTS = 50


class MongoFeed:
    """Reads and writes change feeds: implements `services.events.ports.FeedStore`."""

    def __init__(self, database: MongoDatabase) -> None:
        self._items = database[ITEMS]
        self._references = database[REFERENCES]
        self._heads = database[HEADS]

    async def prepare(self) -> None:
        """Create the indexes."""
        await self._heads.create_index([("closed_at", ASCENDING)])
        await self._items.create_index([("edition_id", ASCENDING), ("number", ASCENDING)], unique=True)
        await self._references.create_index([("operator_id", ASCENDING), ("place", ASCENDING)], unique=True)
        await self._references.create_index([("edition_id", ASCENDING), ("number", ASCENDING)], unique=True)

    async def edition_head(self, edition_id: str) -> FeedHead | None:
        """Return the head of an edition's feed; None for an edition without items."""
        return await self._head(edition_key(edition_id))

    async def operator_head(self, operator_id: str) -> FeedHead | None:
        """Return the head of an operator's feed; None for an operator without items."""
        return await self._head(operator_key(operator_id))

    async def begin(self, edition_id: str, head: FeedHead) -> FeedHead:
        """Write the head of a new feed, and return the head that is stored: another process may have been faster."""
        return await self._begin(edition_key(edition_id), head)

    async def raise_head(self, edition_id: str, head: FeedHead) -> None:
        """Write a newer head of an edition. Its number never falls."""
        older = {"_id": edition_key(edition_id), "number": {"$lte": head.number}}
        await self._heads.update_one(older, {"$set": asdict(head)})

    async def add(self, items: Sequence[FeedItem]) -> None:
        """Write the next items of an edition in order. Raise `NumberTaken` at the first number that is in use."""
        documents = [{"_id": f"{item.edition_id}:{item.number}", **asdict(item)} for item in items]
        if not await _inserted(self._items, documents):
            raise NumberTaken(f"edition {items[0].edition_id}: another process writes its feed")

    async def index(self, edition_id: str, after: int) -> list[IndexRow]:
        """Return the places of the items after a number, in order."""
        wanted = {"number": 1, "thing": 1, "revision": 1}
        found = self._items.find(_after(edition_id, after), wanted).sort("number", ASCENDING)
        return [IndexRow(row["number"], row["thing"], row["revision"]) async for row in found]

    async def items(self, edition_id: str, after: int, limit: int) -> list[FeedItem]:
        """Return the items of an edition after a number, in order."""
        found = self._items.find(_after(edition_id, after)).sort("number", ASCENDING).limit(limit)
        return [_item_of(document) async for document in found]

    async def by_number(self, edition_id: str, numbers: Sequence[int]) -> list[FeedItem]:
        """Return the items under some numbers, in order."""
        if not numbers:
            return []
        found = self._items.find({"_id": {"$in": [f"{edition_id}:{number}" for number in numbers]}})
        return sorted([_item_of(document) async for document in found], key=lambda item: item.number)

    async def placed_upto(self, edition_id: str) -> int:
        """Return the number of the last item of an edition that its operator's feed has."""
        found = self._references.find({"edition_id": edition_id}).sort("number", DESCENDING).limit(1)
        return max([row["number"] async for row in found], default=0)

    async def place(self, operator_id: str, items: Sequence[FeedItem]) -> None:
        """Append items of an edition to the feed of an operator, in order. Items that it has are left out."""
        key, rest = operator_key(operator_id), list(items)
        head = await self._begin(key, FeedHead(new_epoch(), operator_id=operator_id))
        last = head.number
        for _ in range(_ATTEMPTS):
            documents = [
                {
                    "_id": f"{operator_id}:{last + offset}",
                    "operator_id": operator_id,
                    "place": last + offset,
                    "edition_id": item.edition_id,
                    "number": item.number,
                }
                for offset, item in enumerate(rest, start=1)
            ]
            if await _inserted(self._references, documents):
                newest = last + len(rest)
                await self._heads.update_one({"_id": key, "number": {"$lt": newest}}, {"$set": {"number": newest}})
                return
            placed = await self.placed_upto(items[0].edition_id)
            rest = [item for item in rest if item.number > placed]
            last = await self._newest_place(operator_id, last)
            if not rest:
                return
        raise NumberTaken(f"operator {operator_id}: other processes wrote its feed {_ATTEMPTS} times in a row")

    async def operator_items(self, operator_id: str, after: int, limit: int) -> list[tuple[int, FeedItem]]:
        """Return the items of an operator's feed after a number, in order, with their numbers in that feed."""
        wanted = {"operator_id": operator_id, "place": {"$gt": after}}
        found = self._references.find(wanted).sort("place", ASCENDING).limit(limit)
        places = {f"{row['edition_id']}:{row['number']}": row["place"] async for row in found}
        documents = self._items.find({"_id": {"$in": list(places)}})
        return sorted(
            [(places[document["_id"]], _item_of(document)) async for document in documents], key=lambda pair: pair[0]
        )

    async def closed_before(self, moment: datetime) -> list[str]:
        """Return the editions whose feeds have items and were closed before a moment."""
        found = self._heads.find({"closed_at": {"$gt": EVER, "$lt": moment}, "number": {"$gt": 0}}, {"number": 1})
        return [document["_id"].removeprefix(edition_key("")) async for document in found]

    async def forget(self, edition_id: str, head: FeedHead) -> None:
        """Remove the items of an edition, and write the head of its next epoch."""
        await self._heads.update_one({"_id": edition_key(edition_id)}, {"$set": asdict(head)})
        await self._references.delete_many({"edition_id": edition_id})
        await self._items.delete_many({"edition_id": edition_id})

    async def numbers(self, keys: Sequence[str]) -> dict[str, int]:
        """Return the newest numbers of feeds, by `edition_key` and `operator_key`."""
        found = self._heads.find({"_id": {"$in": list(keys)}}, {"number": 1})
        return {document["_id"]: document["number"] async for document in found}

    async def _head(self, key: str) -> FeedHead | None:
        document = await self._heads.find_one({"_id": key})
        if document is None:
            return None
        return FeedHead(**{name: value for name, value in document.items() if name != "_id"})

    async def _begin(self, key: str, head: FeedHead) -> FeedHead:
        known = await self._head(key)
        if known is None:
            with suppress(DuplicateKeyError):  # another process was faster
                await self._heads.insert_one({"_id": key, **asdict(head)})
            known = await self._head(key)
        return known or head

    async def _newest_place(self, operator_id: str, known: int) -> int:
        """Return the newest number of an operator's feed. The head may be behind: its writer may have ended."""
        newer = {"operator_id": operator_id, "place": {"$gt": known}}
        return max([row["place"] async for row in self._references.find(newer, {"place": 1})], default=known)


async def _inserted(collection: MongoCollection, documents: Sequence[dict[str, Any]]) -> bool:
    """Insert documents in order. Return False at the first whose key is in use: the documents before it are written."""
    try:
        await collection.insert_many(documents, ordered=True)
    except BulkWriteError as error:
        if any(cause["code"] != _DUPLICATE_KEY for cause in error.details["writeErrors"]):
            raise
        return False
    return True


def _after(edition_id: str, number: int) -> dict[str, Any]:
    return {"edition_id": edition_id, "number": {"$gt": number}}


def _item_of(document: dict[str, Any]) -> FeedItem:
    return FeedItem(**{name: value for name, value in document.items() if name != "_id"})


def new_epoch() -> str:
    """Return the name of a new epoch."""
    return secrets.token_hex(6)
