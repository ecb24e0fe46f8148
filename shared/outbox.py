"""Aggregates that are single documents: the events of a change wait in the document's own outbox.

A store writes `outbox` and `pending` in the same write as the change they tell of; the relay sends them, in order,
and takes them out. A crash in between leaves them for the sweeper.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pymongo import ASCENDING

from shared.broker import KafkaPublisher
from shared.cloudevents import pack, unpack
from shared.events import Event
from shared.metrics import SWEPT
from shared.mongo import MongoCollection


def outbox_new(events: Sequence[Event]) -> dict[str, Any]:
    """The outbox fields of a document that is inserted."""
    return {"outbox": [pack(event) for event in events], "pending": bool(events)}


def outbox_push(events: Sequence[Event]) -> dict[str, Any]:
    """The update operators that add events to a document's outbox."""
    return {"$push": {"outbox": {"$each": [pack(event) for event in events]}}, "$set": {"pending": True}}


class OutboxRelay:
    """Sends what waits in the outboxes of one collection."""

    def __init__(self, collection: MongoCollection, publisher: KafkaPublisher) -> None:
        self._collection = collection
        self._publisher = publisher

    async def prepare(self) -> None:
        """Create the index the sweeper needs."""
        await self._collection.create_index([("pending", ASCENDING)])

    async def relay(self, document_id: str) -> None:
        """Send what waits in one document.

        Raises:
            KafkaError: not acknowledged; it waits for the sweeper.
        """
        document = await self._collection.find_one({"_id": document_id}, {"outbox": 1})
        if document is not None:
            await self._send(document)

    async def sweep(self) -> None:
        """Send what waits anywhere, the oldest documents first."""
        waiting = self._collection.find({"pending": True}, {"outbox": 1}).sort("_id", ASCENDING).limit(1000)
        for document in [document async for document in waiting]:
            await self._send(document)
            SWEPT.inc()

    async def _send(self, document: dict[str, Any]) -> None:
        outbox = document["outbox"]
        if not outbox:
            return
        await self._publisher.send([unpack(packed) for packed in outbox])
        newest = outbox[-1]["data"]["revision"]
        # The usual case, nothing was added meanwhile, is one write.
        unchanged = {"outbox": {"$size": len(outbox)}, f"outbox.{len(outbox) - 1}.data.revision": newest}
        emptied = await self._collection.update_one(
            {"_id": document["_id"], **unchanged}, {"$set": {"outbox": [], "pending": False}}
        )
        if not emptied.modified_count:
            await self._collection.update_one(
                {"_id": document["_id"]}, {"$pull": {"outbox": {"data.revision": {"$lte": newest}}}}
            )
