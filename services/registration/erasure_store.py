"""The erasures of all operators, in Mongo or in memory."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from services.registration.erasures import Erasure
from shared.storage.mongo import EVER, MongoDatabase

_BESIDE: Final = {"_id": 0}


class MongoErasureStore:
    """A document for every erasure, with its key as `_id`."""

    def __init__(self, database: MongoDatabase) -> None:
        self._documents = database["erasures"]

    async def prepare(self) -> None:
        """Create the index of due erasures, unless it exists."""
        await self._documents.create_index("due")

    async def add(self, erasure: Erasure) -> None:
        await self._documents.update_one({"_id": erasure.path}, {"$set": erasure.model_dump()}, upsert=True)

    async def due(self, now: datetime, limit: int) -> Sequence[Erasure]:
        cursor = self._documents.find({"due": {"$gt": EVER, "$lte": now}}, _BESIDE).sort("due", 1).limit(limit)
        return [Erasure.model_validate(document) async for document in cursor]

    async def all(self) -> Sequence[Erasure]:
        cursor = self._documents.find({}, _BESIDE).sort("_id", 1)
        return [Erasure.model_validate(document) async for document in cursor]

    async def done(self, erasure: Erasure) -> None:
        await self._documents.update_one({"_id": erasure.path, "due": erasure.due}, {"$set": {"due": None}})


class InMemoryErasureStore:
    """The erasures of all operators, in memory."""

    def __init__(self) -> None:
        self._erasures: dict[str, Erasure] = {}

    async def add(self, erasure: Erasure) -> None:
        self._erasures[erasure.path] = erasure

    async def due(self, now: datetime, limit: int) -> Sequence[Erasure]:
        return [erasure for erasure in await self.all() if erasure.due and erasure.due <= now][:limit]

    async def all(self) -> Sequence[Erasure]:
        return [erasure for _, erasure in sorted(self._erasures.items())]

    async def done(self, erasure: Erasure) -> None:
        self._erasures[erasure.path] = erasure.model_copy(update={"due": None})
