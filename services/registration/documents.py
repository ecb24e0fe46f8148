"""The form of the documents of entities, and the index of searches in their field `search_keys`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

from pydantic import ValidationError

from services.registration.domain.entity import Authorship, Entity
from services.registration.ports import AnyEntity, KeyBeginning, Revision, Where
from shared.runtime.log import get_logger
from shared.storage.mongo import MongoCollection
from shared.storage.outbox import outbox_new, outbox_push

_log = get_logger(__name__)
#: Fields of a document that are no fields of the entity.
BESIDE: Final = {
    "_id": 0,
    "unique": 0,
    "fingerprint": 0,
    "due": 0,
    "outbox": 0,
    "pending_since": 0,
    "search_keys": 0,
    "history": 0,
}
#: Documents that are read between two turns of waiting requests.
READ_AT_ONCE: Final = 50
#: Revisions of an entity whose authors are kept.
MOST_REVISIONS: Final = 100
#: Sorts after every character of a key.
_BEYOND_KEYS: Final = "\U0010ffff"


def fields_of(entity: Entity) -> dict[str, object]:
    """Return the fields of a document that follow from its entity."""
    # A unique index on an array keeps every value of the array unique.
    beside = {"unique": list(entity.claims), "due": entity.due, "search_keys": list(entity.search_keys)}
    return {**entity.model_dump(mode="json"), **beside}


def new_document(entity: Entity, authorship: Authorship, *, of_batch: bool = False) -> dict[str, object]:
    """Return the fields of a new document, with its event in the outbox and its author in the history."""
    history = [Revision.of(entity, authorship).model_dump(mode="json")]
    outbox = outbox_new([entity.published(authorship)], of_batch=of_batch)
    return {**fields_of(entity), "history": history, **outbox}


def next_revision(entity: Entity, authorship: Authorship) -> dict[str, dict[str, object]]:
    """Return the update to the next revision of an entity: fields, outbox, and history without its oldest revisions.

    An erased entity loses the waiting events of before and the fingerprint of its request: they follow from texts.
    """
    event = entity.published(authorship)
    added = Revision.of(entity, authorship).model_dump(mode="json")
    history: dict[str, object] = {"history": {"$each": [added], "$slice": -MOST_REVISIONS}}
    if entity.is_erased:
        return {"$push": history, "$set": fields_of(entity) | {"fingerprint": ""} | outbox_new([event])}
    push = outbox_push([event])
    return {"$push": push["$push"] | history, "$set": fields_of(entity) | push["$set"]}


def released(entity: Entity) -> dict[str, object]:
    """Return the fields of a document whose entity has given up its unique key."""
    return {"unique": [entity.id]}


def readable(kind: type[AnyEntity], document: Mapping[str, Any]) -> AnyEntity | None:
    """Return the stored entity, or None if it cannot be read: further entities must not wait for it."""
    try:
        return kind.stored(document)
    except ValidationError as error:
        _log.error("entity_unreadable", kind=kind.NOUN, id=document.get(kind.ID), error=error)
        return None


async def entities_in(kind: type[AnyEntity], cursor: Any) -> AsyncIterator[AnyEntity]:  # noqa: ANN401 - either driver's
    """Yield the entities of documents, as `paced` yields documents."""
    async for document in paced(cursor):
        yield kind.stored(document)


async def paced(cursor: Any) -> AsyncIterator[dict[str, Any]]:  # noqa: ANN401 - either driver's
    """Yield documents; waiting requests have a turn after a few. A cursor hands out a batch of them without a pause."""
    count = 0
    async for document in cursor:
        yield document
        count += 1
        if count % READ_AT_ONCE == 0:
            await asyncio.sleep(0)


async def new_documents(entities: Mapping[str, Entity], authorship: Authorship) -> list[dict[str, Any]]:
    """Return the documents of new entities, by `_id`, with their events. Waiting requests have a turn after each."""
    documents: list[dict[str, Any]] = []
    for path, entity in entities.items():
        fields = new_document(entity, authorship, of_batch=len(entities) > 1)
        documents.append({"_id": path, "fingerprint": "", **fields})
        await asyncio.sleep(0)
    return documents


def conditions_of(where: Where) -> dict[str, object]:
    """Return the conditions of a query. The beginning of a key gets two bounds, which hold for the same key."""
    return {
        name: {"$elemMatch": {"$gte": wanted.text, "$lt": wanted.text + _BEYOND_KEYS}}
        if isinstance(wanted, KeyBeginning)
        else wanted
        for name, wanted in (where or {}).items()
    }


async def prepare_search(collection: MongoCollection, kind: type[Entity]) -> None:
    """Create the indexes of searches, and store the keys of documents that an earlier version wrote."""
    for equal in ("edition_id", "operator_id"):
        await collection.create_index([(equal, 1), ("search_keys", 1)])
    paths = [document["_id"] async for document in collection.find({"search_keys": None}, {"_id": 1})]
    for path in paths:
        entity = readable(kind, await collection.find_one({"_id": path}, BESIDE) or {})
        if entity is not None:
            unchanged = {"_id": path, "revision": entity.revision}
            await collection.update_one(unchanged, {"$set": {"search_keys": list(entity.search_keys)}})
