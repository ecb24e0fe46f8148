"""Metrics of documents whose events wait to be sent, for outboxes and journals."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from shared.messaging.broker import KafkaPublisher
from shared.runtime.metrics import OLDEST_UNSENT_SECONDS, UNSENT
from shared.storage.journal_entry import Entry
from shared.storage.journal_store import InMemoryJournalStore, MongoJournalStore
from shared.storage.outbox import OutboxRelay, outbox_new
from shared.storage.unsent import Unsent
from tests.support.in_memory.mongo import InMemoryMongo
from tests.support.kafka_consumer import match_request
from tests.support.metrics import metric_value

WRITTEN = datetime(2026, 11, 26, tzinfo=UTC)


class Time:
    def __init__(self) -> None:
        self.now = WRITTEN

    def __call__(self) -> datetime:
        return self.now


async def test_unsent_outboxes_are_counted_and_their_age_grows_until_they_are_sent() -> None:
    class Publisher:
        async def send(self, records: Sequence[object]) -> None:
            """Send at once."""

    time, collection = Time(), InMemoryMongo().database("test")["entities"]
    relay = OutboxRelay(collection, cast("KafkaPublisher", Publisher()), time)
    for number in range(2):
        await collection.insert_one({"_id": f"e{number}", **outbox_new([match_request("edn", f"r{number}")])})
    await relay.measure()
    time.now += timedelta(seconds=60)
    assert metric_value(UNSENT, store="entities") == 2
    assert metric_value(OLDEST_UNSENT_SECONDS, store="entities") == 60
    await relay.sweep()
    await relay.measure()
    assert metric_value(UNSENT, store="entities") == 0
    assert metric_value(OLDEST_UNSENT_SECONDS, store="entities") == 0


async def test_unpublished_entries_are_counted_in_both_stores() -> None:
    stores: list[Any] = [InMemoryJournalStore(), MongoJournalStore(InMemoryMongo().database("test"))]
    for store in stores:
        assert await store.waiting() == (0, None)
        entries = [Entry("edn", seq, WRITTEN + timedelta(seconds=seq), {}, [], [], published=False) for seq in (1, 2)]
        for entry in entries:
            await store.append(entry)
        await store.mark_published(entries[0])
        assert await store.waiting() == (1, WRITTEN + timedelta(seconds=2))


def test_the_age_of_the_oldest_grows_while_nobody_looks() -> None:
    time = Time()
    Unsent("frozen", time).note(1, WRITTEN)
    time.now += timedelta(seconds=90)
    assert metric_value(OLDEST_UNSENT_SECONDS, store="frozen") == 90
