"""Operators and the hashes of their API keys, in Mongo."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

from pydantic import TypeAdapter

from services.registration.domain.errors import Conflict, NotFound
from services.registration.keys import OperatorKey
from shared.storage.mongo import DuplicateKeyError, MongoDatabase

_KEYS: Final = TypeAdapter(list[OperatorKey])
#: Tries of a change of keys that loses to a concurrent change.
_ATTEMPTS: Final = 8


class MongoOperators:
    """A document for every operator, with its keys in the order in which they were made."""

    def __init__(self, database: MongoDatabase) -> None:
        self._operators = database["operators"]
        self._uses = database["key_uses"]

    async def add(self, operator_id: str, name: str, key: OperatorKey) -> bool:
        """Write an operator with a first key; False if the id is in use."""
        document = {"_id": operator_id, "name": name, "keys": _KEYS.dump_python([key], mode="json")}
        try:
            await self._operators.insert_one(document)
        except DuplicateKeyError:
            return False
        return True

    async def keys(self, operator_id: str) -> list[OperatorKey]:
        """List an operator's keys, oldest first; none if there is no such operator."""
        document = await self._operators.find_one({"_id": operator_id}, {"keys": 1})
        return _KEYS.validate_python(document["keys"]) if document else []

    async def all_keys(self, most: int) -> dict[str, list[OperatorKey]]:
        """Return the keys of at most `most` operators, by operator id."""
        found = self._operators.find({}, {"keys": 1}).sort([("_id", 1)]).limit(most)
        return {document["_id"]: _KEYS.validate_python(document["keys"]) async for document in found}

    async def change_keys(
        self, operator_id: str, change: Callable[[Sequence[OperatorKey]], Sequence[OperatorKey]]
    ) -> list[OperatorKey]:
        """Write the keys that `change` returns for the present keys, and return them.

        Raises:
            NotFound: there is no such operator.
            Conflict: others change the keys at the same time; and the errors of `change`.
        """
        for _ in range(_ATTEMPTS):
            document = await self._operators.find_one({"_id": operator_id}, {"keys": 1, "key_revision": 1})
            if document is None:
                raise NotFound("there is no such operator")
            keys = [*change(_KEYS.validate_python(document["keys"]))]
            revision = document.get("key_revision")
            unchanged = {"_id": operator_id, "key_revision": revision}
            fields = {"keys": _KEYS.dump_python(keys, mode="json"), "key_revision": (revision or 0) + 1}
            if (await self._operators.update_one(unchanged, {"$set": fields})).matched_count:
                return keys
        raise Conflict("the keys are being changed by others: try again")

    async def last_uses(self, operator_id: str, key_ids: Sequence[str]) -> dict[str, datetime]:
        """Return the times of the last uses of keys, by id."""
        found = self._uses.find({"_id": {"$in": [f"{operator_id}/{key_id}" for key_id in key_ids]}})
        return {document["key_id"]: document["at"] async for document in found}

    async def note_use(self, operator_id: str, key_id: str, at: datetime) -> None:
        """Write the time of the last use of a key."""
        fields = {"key_id": key_id, "at": at}
        await self._uses.update_one({"_id": f"{operator_id}/{key_id}"}, {"$set": fields}, upsert=True)

    async def names(self) -> dict[str, str]:
        """Return the names of all operators by id, sorted by id."""
        found = self._operators.find({}, {"name": 1}).sort([("_id", 1)])
        return {document["_id"]: document["name"] async for document in found}

    async def limits(self, operator_id: str) -> dict[str, float]:
        """Return an operator's own limits by name; none if there is no such operator."""
        document = await self._operators.find_one({"_id": operator_id}, {"limits": 1})
        return dict(document.get("limits", {})) if document else {}

    async def set_limits(self, operator_id: str, limits: Mapping[str, float]) -> bool:
        """Replace an operator's own limits; False if there is no such operator."""
        result = await self._operators.update_one({"_id": operator_id}, {"$set": {"limits": dict(limits)}})
        return bool(result.matched_count)
