"""Fields that operators have given to headings of their lists, in Mongo or in memory, for the lists that follow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from shared.storage.mongo import MongoDatabase


class MappingStore(Protocol):
    """The mappings of all operators: the field of a heading, by kind of list."""

    async def find(self, operator_id: str, kind: str) -> dict[str, str]:
        """Return the mapping that an operator gave last; empty if there is none."""
        ...

    async def keep(self, operator_id: str, kind: str, mapping: Mapping[str, str]) -> None:
        """Keep a mapping in place of the mapping before."""
        ...


class MongoMappingStore:
    """A document for every operator and kind of list. Headings may hold points, so they are no keys."""

    def __init__(self, database: MongoDatabase) -> None:
        self._documents = database["import_mappings"]

    async def find(self, operator_id: str, kind: str) -> dict[str, str]:
        document = await self._documents.find_one({"_id": f"{operator_id}/{kind}"})
        return dict(document["columns"]) if document else {}

    async def keep(self, operator_id: str, kind: str, mapping: Mapping[str, str]) -> None:
        columns = [list(column) for column in mapping.items()]
        await self._documents.update_one({"_id": f"{operator_id}/{kind}"}, {"$set": {"columns": columns}}, upsert=True)


class InMemoryMappingStore:
    """The mappings of all operators, in memory."""

    def __init__(self) -> None:
        self._mappings: dict[tuple[str, str], dict[str, str]] = {}

    async def find(self, operator_id: str, kind: str) -> dict[str, str]:
        return dict(self._mappings.get((operator_id, kind), {}))

    async def keep(self, operator_id: str, kind: str, mapping: Mapping[str, str]) -> None:
        self._mappings[operator_id, kind] = dict(mapping)
