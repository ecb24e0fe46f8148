"""The delivery ledger: in MongoDB, a document for every participant, and in memory. Both pass the same tests."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pymongo import ASCENDING

from services.notify.domain.delivery import Delivery, DeliveryWanted, Window, delivery_key, invitations_of, new_delivery
from services.notify.ports import Ledger, Overtaken
from shared.contract.events import NotificationRecorded
from shared.runtime.clock import Clock
from shared.storage.mongo import EVER, DuplicateKeyError, MongoDatabase
from shared.storage.outbox import outbox_new, outbox_push

#: Deliveries of one journal entry that are written at the same time.
_WRITES_AT_ONCE = 16
COLLECTION = "deliveries"
_WITHOUT_OUTBOX = {"outbox": 0}


class LedgerOutlet:
    """Outlet of notify's journal: writes the deliveries wanted into the ledger. A repeated message changes nothing."""

    def __init__(self, ledger: Ledger, window: Window) -> None:
        self._ledger = ledger
        self._window = window

    def pack(self, message: DeliveryWanted) -> dict[str, Any]:
        """Return the message as the journal stores it."""
        return message.model_dump(mode="json")

    async def send(self, packed: Sequence[dict[str, Any]]) -> None:
        """Write every message into the ledger, in any order: the messages of a journal entry have different keys."""
        messages = [DeliveryWanted.model_validate(message) for message in packed]
        invitations = [invitation for message in messages for invitation in invitations_of(message, self._window)]
        wanted = [*invitations, *messages]
        keys = [new_delivery(message).key for message in wanted]
        known = await self._ledger.find_all(keys)
        limit = asyncio.Semaphore(_WRITES_AT_ONCE)

        async def write(key: str, message: DeliveryWanted) -> None:
            async with limit:
                await self._want(message, known.get(key))

        await asyncio.gather(*map(write, keys, wanted))

    async def _want(self, wanted: DeliveryWanted, known: Delivery | None) -> None:
        while (delivery := (known or new_delivery(wanted)).want(wanted, self._window)) is not known:
            try:
                await self._ledger.save(delivery)
            except Overtaken:
                known = await self._ledger.find(wanted.edition_id, wanted.participant_id, new_delivery(wanted).subject)
            else:
                return


class MongoLedger:
    """The ledger in MongoDB: `_id` is `<edition>/<participant>`.

    A document holds the delivery as JSON text, the fields that queries need, and its outbox.
    """

    def __init__(self, database: MongoDatabase, clock: Clock) -> None:
        self._documents = database[COLLECTION]
        self._clock = clock

    async def prepare(self) -> None:
        """Create the indexes."""
        await self._documents.create_index([("attend_at", ASCENDING)])
        await self._documents.create_index([("doubtful", ASCENDING)])

    async def find(self, edition_id: str, participant_id: str, subject: str | None = None) -> Delivery | None:
        """Return a delivery, or `None`."""
        key = delivery_key(edition_id, participant_id, subject)
        document = await self._documents.find_one({"_id": key}, _WITHOUT_OUTBOX)
        return document and delivery_of(document)

    async def find_all(self, keys: Sequence[str]) -> dict[str, Delivery]:
        """Return the deliveries that exist among these keys, by key."""
        found = self._documents.find({"_id": {"$in": list(keys)}}, _WITHOUT_OUTBOX)
        return {document["_id"]: delivery_of(document) async for document in found}

    async def save(self, delivery: Delivery, *records: NotificationRecorded) -> Delivery:
        """Write a delivery together with its events to publish; return it as written, or raise `Overtaken`."""
        written = delivery.model_copy(update={"edit": delivery.edit + 1})
        if delivery.edit == 0:
            await self._insert(written, records)
            return written
        update: dict[str, Any] = outbox_push(records) if records else {"$set": {}}
        update["$set"] = update["$set"] | _fields(written)
        outcome = await self._documents.update_one({"_id": delivery.key, "edit": delivery.edit}, update)
        if not outcome.matched_count:
            raise Overtaken(delivery.key)
        return written

    async def due(self, limit: int) -> list[Delivery]:
        """Return the deliveries to look at now, the longest due first."""
        query = {"attend_at": {"$gt": EVER, "$lte": self._clock()}}
        found = self._documents.find(query, _WITHOUT_OUTBOX).sort("attend_at", ASCENDING).limit(limit)
        return [delivery_of(document) async for document in found]

    async def unconfirmed(self, edition_id: str | None = None) -> list[Delivery]:
        """Return the deliveries with an unconfirmed mail, of an edition or of all editions."""
        query = {"doubtful": True} | ({"edition_id": edition_id} if edition_id else {})
        found = self._documents.find(query, _WITHOUT_OUTBOX).sort("_id", ASCENDING)
        return [delivery_of(document) async for document in found]

    async def page(self, edition_id: str, after: str, limit: int) -> list[Delivery]:
        """Return up to `limit` deliveries of agendas in an edition, by participant id, above the id `after`."""
        # "0" is the character after "/".
        keys = {"$gt": f"{edition_id}/{after}", "$lt": f"{edition_id}0"}
        found = self._documents.find({"_id": keys}, _WITHOUT_OUTBOX).sort("_id", ASCENDING)
        agendas: list[Delivery] = []
        async for document in found:
            if (delivery := delivery_of(document)).subject is None:
                agendas.append(delivery)
            if len(agendas) == limit:
                break
        return agendas

    async def count(self) -> tuple[int, int]:
        """Count the mails that are owed, and the unconfirmed mails."""
        owed = await self._documents.count_documents({"attend_at": {"$gt": EVER}})
        return owed, await self._documents.count_documents({"doubtful": True})

    async def oldest(self) -> datetime | None:
        """Return the time of the oldest change that is owed a mail, or `None`. An older ledger does not say it."""
        found = self._documents.find({"attend_at": {"$gt": EVER}, "since": {"$gt": EVER}}, {"since": 1})
        async for document in found.sort("since", ASCENDING).limit(1):
            since: datetime = document["since"]
            return since
        return None

    async def _insert(self, written: Delivery, records: Sequence[NotificationRecorded]) -> None:
        try:
            await self._documents.insert_one({"_id": written.key, **_fields(written), **outbox_new(records)})
        except DuplicateKeyError as error:
            raise Overtaken(written.key) from error


class InMemoryLedger:
    """The ledger of a process, lost when the process ends. It is its own relay."""

    def __init__(self, clock: Clock) -> None:
        #: Events published, in order.
        self.published: list[NotificationRecorded] = []
        self._clock = clock
        self._deliveries: dict[str, Delivery] = {}
        self._outboxes: dict[str, list[NotificationRecorded]] = {}

    async def find(self, edition_id: str, participant_id: str, subject: str | None = None) -> Delivery | None:
        """Return a delivery, or `None`."""
        return self._deliveries.get(delivery_key(edition_id, participant_id, subject))

    async def find_all(self, keys: Sequence[str]) -> dict[str, Delivery]:
        """Return the deliveries that exist among these keys, by key."""
        return {key: self._deliveries[key] for key in keys if key in self._deliveries}

    async def save(self, delivery: Delivery, *records: NotificationRecorded) -> Delivery:
        """Write a delivery together with its events to publish; return it as written, or raise `Overtaken`."""
        known = self._deliveries.get(delivery.key)
        if (known.edit if known else 0) != delivery.edit:
            raise Overtaken(delivery.key)
        written = delivery.model_copy(update={"edit": delivery.edit + 1})
        self._deliveries[delivery.key] = written
        self._outboxes.setdefault(delivery.key, []).extend(records)
        return written

    async def due(self, limit: int) -> list[Delivery]:
        """Return the deliveries to look at now, the longest due first."""
        now = self._clock()
        due = [
            (delivery.attend_at, delivery.key)
            for delivery in self._deliveries.values()
            if delivery.attend_at and delivery.attend_at <= now
        ]
        return [self._deliveries[key] for _, key in sorted(due)[:limit]]

    async def unconfirmed(self, edition_id: str | None = None) -> list[Delivery]:
        """Return the deliveries with an unconfirmed mail, of an edition or of all editions."""
        found = [delivery for _, delivery in sorted(self._deliveries.items()) if delivery.unconfirmed]
        return [delivery for delivery in found if edition_id in {None, delivery.edition_id}]

    async def page(self, edition_id: str, after: str, limit: int) -> list[Delivery]:
        """Return up to `limit` deliveries of agendas in an edition, by participant id, above the id `after`."""
        found = sorted(
            (delivery for delivery in self._deliveries.values() if delivery.edition_id == edition_id),
            key=lambda delivery: delivery.participant_id,
        )
        return [line for line in found if line.participant_id > after and line.subject is None][:limit]

    async def count(self) -> tuple[int, int]:
        """Count the mails that are owed, and the unconfirmed mails."""
        deliveries = self._deliveries.values()
        return (
            sum(delivery.attend_at is not None for delivery in deliveries),
            sum(delivery.unconfirmed is not None for delivery in deliveries),
        )

    async def oldest(self) -> datetime | None:
        """Return the time of the oldest change that is owed a mail, or `None`."""
        owed = [delivery.first_at for delivery in self._deliveries.values() if delivery.attend_at and delivery.first_at]
        return min(owed, default=None)

    def soon(self, document_id: str) -> None:
        """Publish the events recorded in a delivery, as `OutboxRelay` does."""
        self.published += self._outboxes.pop(document_id, [])


def _fields(delivery: Delivery) -> dict[str, Any]:
    """Return the delivery as JSON text, and the fields that queries need.

    BSON would cut a date to milliseconds; the text is read as it was written.
    """
    return {
        "line": delivery.model_dump_json(),
        "edition_id": delivery.edition_id,
        "edit": delivery.edit,
        "step": delivery.step.value,
        "attend_at": delivery.attend_at,
        "since": delivery.first_at,
        "doubtful": delivery.unconfirmed is not None,
    }


def delivery_of(document: dict[str, Any]) -> Delivery:
    """Return the delivery that a document of the ledger holds."""
    return Delivery.model_validate_json(document["line"])
