"""Operators and the hashes of their API keys, in Mongo."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.registration.ports import OperatorKey
from shared.storage.mongo import DuplicateKeyError, MongoDatabase


class MongoOperators:
    """A document for every operator, with its keys in the order in which they were made."""

    def __init__(self, database: MongoDatabase) -> None:
        self._operators = database["operators"]

    async def add(self, operator_id: str, name: str, digest: str) -> bool:
        """Write an operator with a first key; False if the id is in use."""
        document = {"_id": operator_id, "name": name, "keys": [{"digest": digest, "revoked": False}]}
        try:
            await self._operators.insert_one(document)
        except DuplicateKeyError:
            return False
        return True

    async def keys(self, operator_id: str) -> list[OperatorKey]:
        """List an operator's keys, oldest first; none if there is no such operator."""
        document = await self._operators.find_one({"_id": operator_id})
        return _keys_in(document) if document else []

    async def all_keys(self, most: int) -> dict[str, list[OperatorKey]]:
        """Return the keys of at most `most` operators, by operator id."""
        found = self._operators.find({}, {"keys": 1}).sort([("_id", 1)]).limit(most)
        return {document["_id"]: _keys_in(document) async for document in found}

    async def limits(self, operator_id: str) -> dict[str, float]:
        """Return an operator's own limits by name; none if there is no such operator."""
        document = await self._operators.find_one({"_id": operator_id}, {"limits": 1})
        return dict(document.get("limits", {})) if document else {}

    async def set_limits(self, operator_id: str, limits: Mapping[str, float]) -> bool:
        """Replace an operator's own limits; False if there is no such operator."""
        result = await self._operators.update_one({"_id": operator_id}, {"$set": {"limits": dict(limits)}})
        return bool(result.matched_count)

    async def add_key(self, operator_id: str, digest: str) -> bool:
        """Add a key to an operator; False if there is no such operator."""
        key = {"digest": digest, "revoked": False}
        result = await self._operators.update_one({"_id": operator_id}, {"$push": {"keys": key}})
        return bool(result.matched_count)

    async def revoke_key(self, operator_id: str, digest: str) -> bool:
        """Revoke a key; False if there is no such key."""
        query = {"_id": operator_id, "keys.digest": digest}
        result = await self._operators.update_one(query, {"$set": {"keys.$.revoked": True}})
        return bool(result.matched_count)


def _keys_in(document: dict[str, Any]) -> list[OperatorKey]:
    return [OperatorKey(key["digest"], key["revoked"]) for key in document["keys"]]
