"""The outbox of aggregates that are single documents: their unpublished events wait in the document itself.

A store writes `outbox` and `pending_since` together with the change. The relay sends the events in order and empties
the outbox. After a crash in between, the sweeper sends them.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from pymongo import ASCENDING

from shared.contract.cloudevents import pack, unpack
from shared.contract.events import Event
from shared.messaging.broker import KafkaPublisher
from shared.runtime.clock import Clock, utc_now
from shared.runtime.log import get_logger
from shared.runtime.metrics import SWEPT
from shared.storage.mongo import EVER, MongoCollection
from shared.storage.unsent import Unsent

_log = get_logger(__name__)
#: The writer of a younger outbox may still be sending it: the sweeper leaves it.
_SWEEP_AGE = timedelta(seconds=5)
#: Most documents that are sent together, usually with one read, one send and one write. Their events hold the event
#: loop for a few milliseconds.
_MOST_TOGETHER = 30
#: Most documents that a sweep sends.
_MOST_SWEPT = 200
_GATHER_SECONDS = 0.05
#: Documents of batches that are sent together, with a pause before the next.
_BATCH_TOGETHER = 20
#: Time for which the documents of a batch are left to the process that wrote them. The sweeper reads past them at no
#: cost, which a backlog of thousands would have at each sweep.
_BATCH_AGE = timedelta(minutes=3)
#: Batches are sent once no further batch has come for so long, or at the latest so long after the first.
_BATCH_PAUSE_SECONDS, _LONGEST_BATCHING_SECONDS = 0.5, 20.0
_BATCH_RETRY_SECONDS = 2.0
#: Most documents that wait to be sent. The sweeper sends the rest.
_MOST_WAITING = 500
#: The same for documents of batches.
_MOST_OF_BATCHES = 20_000
#: Longest wait for waiting documents when the process ends. The sweeper of another process sends the rest.
_DRAIN_SECONDS = 10.0


def outbox_new(events: Sequence[Event], *, of_batch: bool = False) -> dict[str, Any]:
    """Return the outbox fields of a new document. A document of a batch is sent by `OutboxRelay.later`."""
    since = events[0].occurred_at if events else None
    return {
        "outbox": [pack(event) for event in events],
        "pending_since": since + _BATCH_AGE if since and of_batch else since,
    }


def outbox_push(events: Sequence[Event]) -> dict[str, Any]:
    """Return the update operators that add events (at least one) to a document's outbox."""
    return {
        "$push": {"outbox": {"$each": [pack(event) for event in events]}},
        "$set": {"pending_since": events[0].occurred_at},
    }


class OutboxRelay:
    """Sends the events in the outboxes of a collection."""

    def __init__(self, collection: MongoCollection, publisher: KafkaPublisher, clock: Clock = utc_now) -> None:
        self._collection = collection
        self._publisher = publisher
        self._clock = clock
        self._unsent = Unsent(collection.name, clock)
        #: Pause between two sends, in which requests gather.
        self.gather_seconds = _GATHER_SECONDS
        self._asked: dict[str, None] = {}
        self._batched: dict[str, None] = {}
        self._batching_since = self._batching_until = 0.0
        self._draining = asyncio.Event()
        self._sending: asyncio.Task[None] | None = None
        self._sending_batches: asyncio.Task[None] | None = None

    async def prepare(self) -> None:
        """Create the index of the sweeper."""
        await self._collection.create_index([("pending_since", ASCENDING)])

    def soon(self, document_id: str) -> None:
        """Send the outbox of a document in the background: at once, or together with further documents if many wait."""
        if len(self._asked) >= _MOST_WAITING:
            return  # Kafka is slow or away: the sweeper sends it later
        self._asked[document_id] = None
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._send_asked())

    def later(self, document_ids: Sequence[str]) -> None:
        """Send the outboxes of a batch in the background, once no further batches come, and few at a time.

        The pauses leave database, broker and consumers to the requests of further operators.
        """
        now, is_first = asyncio.get_running_loop().time(), not self._batched
        self._batching_since = now if is_first else self._batching_since
        self._batching_until = min(now + _BATCH_PAUSE_SECONDS, self._batching_since + _LONGEST_BATCHING_SECONDS)
        room = _MOST_OF_BATCHES - len(self._batched)
        self._batched.update(dict.fromkeys(document_ids[: max(0, room)]))
        if self._sending_batches is None or self._sending_batches.done():
            self._sending_batches = asyncio.create_task(self._send_batches())

    async def drain(self) -> None:
        """Wait until the documents that wait are sent, without pauses; ten seconds at most."""
        self._draining.set()
        sending = [task for task in (self._sending, self._sending_batches) if task is not None]
        if sending:
            await asyncio.wait(sending, timeout=_DRAIN_SECONDS)
        self._draining.clear()

    async def measure(self) -> None:
        """Note how many outboxes wait, and since when."""
        left = {"pending_since": {"$gt": EVER, "$lte": self._clock()}}
        oldest = self._collection.find(left, {"pending_since": 1}).sort("pending_since", ASCENDING).limit(1)
        since = [document["pending_since"] async for document in oldest]
        count = await self._collection.count_documents(left)
        self._unsent.note(count + len(self._batched), since[0] if since else None)

    async def sweep(self) -> None:
        """Send outboxes that have waited for a while, the longest wait first."""
        left = {"pending_since": {"$gt": EVER, "$lt": self._clock() - _SWEEP_AGE}}
        waiting = self._collection.find(left, {"outbox": 1}).sort("pending_since", ASCENDING).limit(_MOST_SWEPT)
        documents = [document async for document in waiting]
        for start in range(0, len(documents), _MOST_TOGETHER):
            together = documents[start : start + _MOST_TOGETHER]
            await self._send(together)
            SWEPT.inc(len(together))

    async def _send_asked(self) -> None:
        while self._asked:
            await self._send_some(self._asked, _MOST_TOGETHER)
            if len(self._asked) < _MOST_TOGETHER:
                await self._pause(self.gather_seconds)

    async def _send_batches(self) -> None:
        while self._batched:
            rest = self._batching_until - asyncio.get_running_loop().time()
            await self._pause(max(rest, self.gather_seconds))
            if not await self._send_some(self._batched, _BATCH_TOGETHER):
                await self._pause(_BATCH_RETRY_SECONDS)

    async def _pause(self, seconds: float) -> None:
        """Wait for so long, unless the relay is drained."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._draining.wait()

    async def _send_some(self, waiting: dict[str, None], most: int) -> bool:
        """Send some of the waiting documents. Return False after an error: the outboxes keep their events."""
        together = list(itertools.islice(waiting, most))
        for document_id in together:
            del waiting[document_id]
        try:
            found = self._collection.find({"_id": {"$in": together}}, {"outbox": 1})
            await self._send([document async for document in found])
        except Exception as error:  # noqa: BLE001 - the sweeper sends the events after any error
            _log.warning("publish_deferred", documents=len(together), error=error)
            if waiting is self._batched and not self._draining.is_set():
                waiting.update(dict.fromkeys(together))  # the sweeper looks at them after minutes only
            return False
        return True

    async def _send(self, documents: list[dict[str, Any]]) -> None:
        """Publish outboxes and empty them. Events that were added meanwhile stay in their outbox."""
        await self._publisher.send([unpack(packed) for document in documents for packed in document["outbox"]])
        alike: dict[tuple[int, int], list[str]] = {}
        for document in documents:
            outbox = document["outbox"]
            newest = outbox[-1]["revision"] if outbox else 0
            alike.setdefault((len(outbox), newest), []).append(document["_id"])
        for (length, newest), ids in alike.items():
            await self._empty(ids, length, newest)

    async def _empty(self, ids: list[str], length: int, newest: int) -> None:
        unchanged: dict[str, Any] = {"_id": {"$in": ids}, "outbox": {"$size": length}}
        if length:
            unchanged[f"outbox.{length - 1}.revision"] = newest
        emptied = await self._collection.update_many(unchanged, {"$set": {"outbox": [], "pending_since": None}})
        if emptied.matched_count < len(ids):
            sent = {"outbox": {"revision": {"$lte": newest}}}
            await self._collection.update_many({"_id": {"$in": ids}}, {"$pull": sent})
