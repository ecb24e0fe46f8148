"""The delivery ledger: in MongoDB, one document a participant, and in memory. Both pass one contract suite."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from pymongo import ASCENDING

from services.notify.domain.audience import DeliveryWanted
from services.notify.domain.delivery import Delivery, Window, first_wanted, line_key
from services.notify.ports import Ledger, Overtaken
from shared.contract.events import NotificationRecorded
from shared.runtime.clock import Clock
from shared.storage.mongo import EVER, DuplicateKeyError, MongoDatabase
from shared.storage.outbox import outbox_new, outbox_push

#: Ledger lines of one journal entry that are written side by side.
_WRITES_AT_ONCE = 16
COLLECTION = "deliveries"
_WITHOUT_OUTBOX = {"outbox": 0}


class LedgerOutlet:
    """Where notify's journal sends what is to be delivered: into the ledger. Sending again changes nothing."""

    def __init__(self, ledger: Ledger, window: Window) -> None:
        self._ledger = ledger
        self._window = window

    def pack(self, message: DeliveryWanted) -> dict[str, Any]:
        """The message as the journal keeps it."""
        return message.model_dump(mode="json")

    async def send(self, packed: Sequence[dict[str, Any]]) -> None:
        """Have every message in the ledger. An entry has at most one a participant: their order is free."""
        wanted = [DeliveryWanted.model_validate(message) for message in packed]
        keys = [line_key(each.edition_id, each.participant_id) for each in wanted]
        known = await self._ledger.find_all(keys)
        limit = asyncio.Semaphore(_WRITES_AT_ONCE)

        async def one(key: str, message: DeliveryWanted) -> None:
            async with limit:
                await self._want(message, known.get(key))

        await asyncio.gather(*map(one, keys, wanted))

    async def _want(self, wanted: DeliveryWanted, known: Delivery | None) -> None:
        while (line := (known or first_wanted(wanted)).want(wanted, self._window)) is not known:
            try:
                await self._ledger.save(line)
            except Overtaken:
                known = await self._ledger.find(wanted.edition_id, wanted.participant_id)
            else:
                return


class MongoLedger:
    """One document a line, `_id` `<edition>/<participant>`. Beside the line: what queries need, and its outbox."""

    def __init__(self, database: MongoDatabase, clock: Clock) -> None:
        self._lines = database[COLLECTION]
        self._clock = clock

    async def prepare(self) -> None:
        """Create the indexes."""
        await self._lines.create_index([("attend_at", ASCENDING)])
        await self._lines.create_index([("doubtful", ASCENDING)])

    async def find(self, edition_id: str, participant_id: str) -> Delivery | None:
        """A participant's line."""
        document = await self._lines.find_one({"_id": line_key(edition_id, participant_id)}, _WITHOUT_OUTBOX)
        return document and line_of(document)

    async def find_all(self, keys: Sequence[str]) -> dict[str, Delivery]:
        """Those of the lines that are there, by their keys."""
        found = self._lines.find({"_id": {"$in": list(keys)}}, _WITHOUT_OUTBOX)
        return {document["_id"]: line_of(document) async for document in found}

    async def save(self, delivery: Delivery, *records: NotificationRecorded) -> Delivery:
        """Write a line, and what there is to say of it, at once; return it as written, or raise `Overtaken`."""
        written = delivery.model_copy(update={"edit": delivery.edit + 1})
        if delivery.edit == 0:
            await self._insert(written, records)
            return written
        update: dict[str, Any] = outbox_push(records) if records else {"$set": {}}
        update["$set"] = update["$set"] | _fields(written)
        outcome = await self._lines.update_one({"_id": delivery.key, "edit": delivery.edit}, update)
        if not outcome.matched_count:
            raise Overtaken(delivery.key)
        return written

    async def due(self, limit: int) -> list[Delivery]:
        """The lines to look at now, the longest due first."""
        query = {"attend_at": {"$gt": EVER, "$lte": self._clock()}}
        found = self._lines.find(query, _WITHOUT_OUTBOX).sort("attend_at", ASCENDING).limit(limit)
        return [line_of(document) async for document in found]

    async def in_doubt(self, edition_id: str | None = None) -> list[Delivery]:
        """The lines with a mail that may have been taken, of one edition or of all."""
        query = {"doubtful": True} | ({"edition_id": edition_id} if edition_id else {})
        return [line_of(document) async for document in self._lines.find(query, _WITHOUT_OUTBOX).sort("_id", ASCENDING)]

    async def count(self) -> tuple[int, int]:
        """How many mails are owed, and how many are in doubt."""
        owed = await self._lines.count_documents({"attend_at": {"$gt": EVER}})
        return owed, await self._lines.count_documents({"doubtful": True})

    async def _insert(self, written: Delivery, records: Sequence[NotificationRecorded]) -> None:
        try:
            await self._lines.insert_one({"_id": written.key, **_fields(written), **outbox_new(records)})
        except DuplicateKeyError as error:
            raise Overtaken(written.key) from error


class InMemoryLedger:
    """A ledger of one process, gone when it ends. It is its own relay."""

    def __init__(self, clock: Clock) -> None:
        #: What was sent of what was recorded.
        self.sent: list[NotificationRecorded] = []
        self._clock = clock
        self._lines: dict[str, Delivery] = {}
        self._outboxes: dict[str, list[NotificationRecorded]] = {}

    async def find(self, edition_id: str, participant_id: str) -> Delivery | None:
        """A participant's line."""
        return self._lines.get(line_key(edition_id, participant_id))

    async def find_all(self, keys: Sequence[str]) -> dict[str, Delivery]:
        """Those of the lines that are there, by their keys."""
        return {key: self._lines[key] for key in keys if key in self._lines}

    async def save(self, delivery: Delivery, *records: NotificationRecorded) -> Delivery:
        """Write a line, and what there is to say of it, at once; return it as written, or raise `Overtaken`."""
        known = self._lines.get(delivery.key)
        if (known.edit if known else 0) != delivery.edit:
            raise Overtaken(delivery.key)
        written = delivery.model_copy(update={"edit": delivery.edit + 1})
        self._lines[delivery.key] = written
        self._outboxes.setdefault(delivery.key, []).extend(records)
        return written

    async def due(self, limit: int) -> list[Delivery]:
        """The lines to look at now, the longest due first."""
        now = self._clock()
        due = [(line.attend_at, line.key) for line in self._lines.values() if line.attend_at and line.attend_at <= now]
        return [self._lines[key] for _, key in sorted(due)[:limit]]

    async def in_doubt(self, edition_id: str | None = None) -> list[Delivery]:
        """The lines with a mail that may have been taken, of one edition or of all."""
        lines = [line for _, line in sorted(self._lines.items()) if line.doubt]
        return [line for line in lines if edition_id in {None, line.edition_id}]

    async def count(self) -> tuple[int, int]:
        """How many mails are owed, and how many are in doubt."""
        lines = self._lines.values()
        return sum(line.attend_at is not None for line in lines), sum(line.doubt is not None for line in lines)

    def soon(self, document_id: str) -> None:
        """Send what was recorded of a line, as `OutboxRelay` does."""
        self.sent += self._outboxes.pop(document_id, [])


def _fields(line: Delivery) -> dict[str, Any]:
    """The line as JSON text, so that what is read equals what was written (BSON cuts a date), and what is asked for."""
    return {
        "line": line.model_dump_json(),
        "edition_id": line.edition_id,
        "edit": line.edit,
        "step": line.step.value,
        "attend_at": line.attend_at,
        "doubtful": line.doubt is not None,
    }


def line_of(document: dict[str, Any]) -> Delivery:
    """The line that a document of the ledger holds."""
    return Delivery.model_validate_json(document["line"])
