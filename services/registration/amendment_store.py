"""The amendments of operators, in Mongo or in memory. Mongo removes them once they cannot be undone any more."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol

from services.registration.amendments import Amendment, Amendments
from shared.storage.mongo import EVER, DuplicateKeyError, MongoDatabase

#: Sorts after every character of an id.
_BEYOND_IDS = "~"
_BESIDE = {"_id": 0}


class AmendmentStore(Protocol):
    """The amendments of all operators."""

    def of(self, operator_id: str) -> Amendments:
        """Return the amendments of an operator, the only access to them."""
        ...


class MongoAmendmentStore:
    """A document for every amendment. Its `_id` begins with operator and edition."""

    def __init__(self, database: MongoDatabase) -> None:
        self._documents = database["amendments"]

    async def prepare(self) -> None:
        """Create the index that removes expired amendments, unless it exists."""
        await self._documents.create_index("expires_at", expireAfterSeconds=0)

    def of(self, operator_id: str) -> Amendments:
        """Return the amendments of an operator, the only access to them."""
        return _MongoAmendments(self._documents, operator_id)


class _MongoAmendments:
    def __init__(self, documents: Any, operator_id: str) -> None:  # noqa: ANN401 - a collection of either driver
        self._documents = documents
        self._operator_id = operator_id

    async def add(self, amendment: Amendment) -> None:
        document = amendment.model_dump() | {"_id": self._path(amendment.edition_id, amendment.amendment_id)}
        try:
            await self._documents.insert_one(document)
        except DuplicateKeyError:
            return

    async def find(self, edition_id: str, amendment_id: str, now: datetime) -> Amendment | None:
        query = {"_id": self._path(edition_id, amendment_id), "expires_at": {"$gt": now}}
        document = await self._documents.find_one(query, _BESIDE)
        return Amendment.model_validate(document) if document else None

    async def page(self, edition_id: str, after: str, limit: int, now: datetime) -> list[Amendment]:
        prefix = self._path(edition_id, "")
        query = {"_id": {"$gt": prefix + after, "$lt": prefix + _BEYOND_IDS}, "expires_at": {"$gt": max(now, EVER)}}
        cursor = self._documents.find(query, _BESIDE).sort([("_id", 1)]).limit(limit)
        return [Amendment.model_validate(document) async for document in cursor]

    def _path(self, edition_id: str, amendment_id: str) -> str:
        return f"{self._operator_id}/{edition_id}/{amendment_id}"


class InMemoryAmendmentStore:
    """The amendments of all operators, in memory."""

    def __init__(self) -> None:
        self._amendments: dict[str, Amendment] = {}

    def of(self, operator_id: str) -> Amendments:
        """Return the amendments of an operator, the only access to them."""
        return _InMemoryAmendments(self._amendments, operator_id)


class _InMemoryAmendments:
    def __init__(self, amendments: dict[str, Amendment], operator_id: str) -> None:
        self._amendments = amendments
        self._operator_id = operator_id

    async def add(self, amendment: Amendment) -> None:
        self._amendments.setdefault(amendment.amendment_id, amendment)

    async def find(self, edition_id: str, amendment_id: str, now: datetime) -> Amendment | None:
        found = await self.page(edition_id, "", len(self._amendments), now)
        return next((amendment for amendment in found if amendment.amendment_id == amendment_id), None)

    async def page(self, edition_id: str, after: str, limit: int, now: datetime) -> list[Amendment]:
        own = (
            amendment
            for amendment_id, amendment in sorted(self._amendments.items())
            if amendment_id > after and amendment.edition_id == edition_id and amendment.expires_at > now
        )
        return [amendment for amendment in own if amendment.operator_id == self._operator_id][:limit]
