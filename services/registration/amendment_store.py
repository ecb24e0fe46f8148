"""The amendments of operators, in Mongo or in memory. Mongo removes them once they cannot be undone any more.

The members of a list's amendment are in a second collection, some in a document: a list may have ten thousand.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from services.registration.amendments import AmendedEntity, Amendment, Amendments
from shared.storage.mongo import EVER, DuplicateKeyError, MongoDatabase

#: Sorts after every character of an id.
_BEYOND_IDS = "~"
_BESIDE = {"_id": 0}
#: Operator, edition, amendment and number of a part of the members.
_Part = tuple[str, str, str, int]


class AmendmentStore(Protocol):
    """The amendments of all operators."""

    def of(self, operator_id: str) -> Amendments:
        """Return the amendments of an operator, the only access to them."""
        ...


class MongoAmendmentStore:
    """A document for every amendment. Its `_id` begins with operator and edition."""

    def __init__(self, database: MongoDatabase) -> None:
        self._documents = database["amendments"]
        self._members = database["amendment_members"]

    async def prepare(self) -> None:
        """Create the indexes that remove expired amendments, unless they exist."""
        await self._documents.create_index("expires_at", expireAfterSeconds=0)
        await self._members.create_index("expires_at", expireAfterSeconds=0)

    def of(self, operator_id: str) -> Amendments:
        """Return the amendments of an operator, the only access to them."""
        return _MongoAmendments(self._documents, self._members, operator_id)


class _MongoAmendments:
    def __init__(self, documents: Any, members: Any, operator_id: str) -> None:  # noqa: ANN401 - of either driver
        self._documents = documents
        self._members = members
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

    async def add_members(self, amendment: Amendment, number: int, members: Sequence[AmendedEntity]) -> None:
        document = {
            "_id": f"{self._path(amendment.edition_id, amendment.amendment_id)}/{number:06}",
            "entity_ids": [member.entity_id for member in members],
            "members": [member.model_dump(mode="json") for member in members],
            "expires_at": amendment.expires_at,
        }
        try:
            await self._members.insert_one(document)
        except DuplicateKeyError:
            return

    async def members(self, amendment: Amendment) -> list[AmendedEntity]:
        within = _within(self._path(amendment.edition_id, amendment.amendment_id))
        cursor = self._members.find({"_id": within}).sort([("_id", 1)])
        return [AmendedEntity.model_validate(member) async for part in cursor for member in part["members"]]

    async def forget(self, edition_id: str, entity_id: str) -> None:
        within = _within(f"{self._operator_id}/{edition_id}")
        await self._documents.delete_many({"_id": within, "entity_id": entity_id})
        query = {"_id": within, "entity_ids": entity_id}
        async for part in self._members.find(query):
            kept = [member for member in part["members"] if member["entity_id"] != entity_id]
            ids = [member["entity_id"] for member in kept]
            await self._members.update_one({"_id": part["_id"]}, {"$set": {"members": kept, "entity_ids": ids}})

    def _path(self, edition_id: str, amendment_id: str) -> str:
        return f"{self._operator_id}/{edition_id}/{amendment_id}"


def _within(path: str) -> dict[str, str]:
    """Return the range of ids that begin with a path."""
    return {"$gt": f"{path}/", "$lt": f"{path}/{_BEYOND_IDS}"}


class InMemoryAmendmentStore:
    """The amendments of all operators, in memory."""

    def __init__(self) -> None:
        self._amendments: dict[str, Amendment] = {}
        self._members: dict[_Part, list[AmendedEntity]] = {}

    def of(self, operator_id: str) -> Amendments:
        """Return the amendments of an operator, the only access to them."""
        return _InMemoryAmendments(self._amendments, self._members, operator_id)


class _InMemoryAmendments:
    def __init__(
        self,
        amendments: dict[str, Amendment],
        members: dict[_Part, list[AmendedEntity]],
        operator_id: str,
    ) -> None:
        self._amendments = amendments
        self._members = members
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

    async def add_members(self, amendment: Amendment, number: int, members: Sequence[AmendedEntity]) -> None:
        self._members[self._operator_id, amendment.edition_id, amendment.amendment_id, number] = list(members)

    async def members(self, amendment: Amendment) -> list[AmendedEntity]:
        own = (self._operator_id, amendment.edition_id, amendment.amendment_id)
        return [member for part in sorted(self._members) if part[:3] == own for member in self._members[part]]

    async def forget(self, edition_id: str, entity_id: str) -> None:
        for amendment_id, amendment in list(self._amendments.items()):
            there = (amendment.operator_id, amendment.edition_id, amendment.entity_id)
            if there == (self._operator_id, edition_id, entity_id):
                del self._amendments[amendment_id]
        for part, members in self._members.items():
            if part[:2] == (self._operator_id, edition_id):
                self._members[part] = [member for member in members if member.entity_id != entity_id]
