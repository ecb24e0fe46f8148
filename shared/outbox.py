"""Aggregates that are single documents: the events of a change wait in the document's own outbox.

A store writes `outbox` and `pending_since` in the same write as the change they tell of; the relay sends them, in
order, and takes them out. A crash in between leaves them for the sweeper.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from pymongo import ASCENDING

from shared.broker import KafkaPublisher
from shared.clock import Clock, utc_now
from shared.cloudevents import pack, unpack
from shared.events import Event
from shared.metrics import SWEPT
from shared.mongo import MongoCollection

#: Outboxes younger than this are still in their writer's hands: the sweeper leaves them.
_SWEEP_AGE = timedelta(seconds=5)


def outbox_new(events: Sequence[Event]) -> dict[str, Any]:
    """The outbox fields of a document that is inserted."""
    return {"outbox": [pack(event) for event in events], "pending_since": events[0].occurred_at if events else None}


def outbox_push(events: Sequence[Event]) -> dict[str, Any]:
    """The update operators that add events (at least one) to a document's outbox."""
    return {
        "$push": {"outbox": {"$each": [pack(event) for event in events]}},
        "$set": {"pending_since": events[0].occurred_at},
    }


class OutboxRelay:
    """Sends what waits in the outboxes of one collection."""

    def __init__(self, collection: MongoCollection, publisher: KafkaPublisher, clock: Clock = utc_now) -> None:
        self._collection = collection
        self._publisher = publisher
        self._clock = clock

    async def prepare(self) -> None:
        """Create the index the sweeper needs."""
        await self._collection.create_index([("pending_since", ASCENDING)])

    async def relay(self, document_id: str) -> None:
        """Send what waits in one document.

        Raises:
            KafkaError: not acknowledged; it waits for the sweeper.
        """
        document = await self._collection.find_one({"_id": document_id}, {"outbox": 1})
        if document is not None and document["outbox"]:
            await self._send(document)

    async def sweep(self) -> None:
        """Send what has waited for a while anywhere, the longest waiting first."""
        left = {"pending_since": {"$lt": self._clock() - _SWEEP_AGE}}
        waiting = self._collection.find(left, {"outbox": 1}).sort("pending_since", ASCENDING).limit(1000)
        for document in [document async for document in waiting]:
            await self._send(document)
            SWEPT.inc()

    async def _send(self, document: dict[str, Any]) -> None:
        outbox, unchanged = document["outbox"], {"_id": document["_id"], "outbox": {"$size": len(document["outbox"])}}
        if outbox:
            newest = outbox[-1]["data"]["revision"]
            await self._publisher.send([unpack(packed) for packed in outbox])
            unchanged[f"outbox.{len(outbox) - 1}.data.revision"] = newest
        # The usual case, nothing was added meanwhile, is one write.
        emptied = await self._collection.update_one(unchanged, {"$set": {"outbox": [], "pending_since": None}})
        if outbox and not emptied.modified_count:
            sent = {"outbox": {"data.revision": {"$lte": newest}}}
            await self._collection.update_one({"_id": document["_id"]}, {"$pull": sent})
