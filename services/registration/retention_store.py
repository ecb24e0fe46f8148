"""The retentions of all editions, in Mongo or in memory."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Protocol

from services.registration.retention import Retention
from shared.storage.mongo import EVER, MongoDatabase

_BESIDE: Final = {"_id": 0, "leased_until": 0}


class RetentionStore(Protocol):
    """Stores retentions. `MongoRetentionStore` and `InMemoryRetentionStore` behave alike."""

    async def find(self, operator_id: str, edition_id: str) -> Retention | None:
        """Return the retention of an edition; None if its data is kept until erasure."""

    async def put(self, retention: Retention) -> None:
        """Write the retention of an edition."""

    async def remove(self, operator_id: str, edition_id: str) -> None:
        """Remove the retention of an edition."""

    async def unfinished(self) -> Sequence[Retention]:
        """List the retentions of editions that are not anonymised."""

    async def lease(self, retention: Retention, now: datetime, until: datetime) -> bool:
        """Take the work on an edition for a time; False if another process has it."""


class MongoRetentionStore:
    """A document for every edition with a retention."""

    def __init__(self, database: MongoDatabase) -> None:
        self._documents = database["retentions"]

    async def find(self, operator_id: str, edition_id: str) -> Retention | None:
        document = await self._documents.find_one({"_id": f"{operator_id}/{edition_id}"}, _BESIDE)
        return Retention.model_validate(document) if document else None

    async def put(self, retention: Retention) -> None:
        fields = retention.model_dump() | {"leased_until": EVER}
        await self._documents.update_one({"_id": _path(retention)}, {"$set": fields}, upsert=True)

    async def remove(self, operator_id: str, edition_id: str) -> None:
        await self._documents.delete_many({"_id": f"{operator_id}/{edition_id}"})

    async def unfinished(self) -> Sequence[Retention]:
        found = self._documents.find({"anonymised_at": None}, _BESIDE)
        return [Retention.model_validate(document) async for document in found]

    async def lease(self, retention: Retention, now: datetime, until: datetime) -> bool:
        query = {"_id": _path(retention), "leased_until": {"$lte": now}}
        leased = await self._documents.update_one(query, {"$set": {"leased_until": until}})
        return bool(leased.matched_count)


class InMemoryRetentionStore:
    """The retentions of all editions, in memory."""

    def __init__(self) -> None:
        self._retentions: dict[str, Retention] = {}
        self._leased: dict[str, datetime] = {}

    async def find(self, operator_id: str, edition_id: str) -> Retention | None:
        return self._retentions.get(f"{operator_id}/{edition_id}")

    async def put(self, retention: Retention) -> None:
        self._retentions[_path(retention)] = retention
        self._leased.pop(_path(retention), None)

    async def remove(self, operator_id: str, edition_id: str) -> None:
        self._retentions.pop(f"{operator_id}/{edition_id}", None)

    async def unfinished(self) -> Sequence[Retention]:
        return [retention for retention in self._retentions.values() if retention.anonymised_at is None]

    async def lease(self, retention: Retention, now: datetime, until: datetime) -> bool:
        if self._leased.get(_path(retention), EVER) > now:
            return False
        self._leased[_path(retention)] = until
        return True


def _path(retention: Retention) -> str:
    return f"{retention.operator_id}/{retention.edition_id}"
