"""Journal stores, in memory and on MongoDB with both drivers, and the outbox on MongoDB.

`simulated` is the database in memory of `tests/simulation`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from shared.contract.cloudevents import Record, encode
from shared.contract.events import MatchRequestChanged, RequestState
from shared.runtime.metrics import SWEPT
from shared.runtime.retry import Unready
from shared.runtime.settings import ConnectionSettings
from shared.storage.journal_entry import Entry, JournalStore, SequenceTaken, StateSnapshot
from shared.storage.journal_store import InMemoryJournalStore, MongoJournalStore
from shared.storage.mongo import Mongo, MongoDatabase
from shared.storage.outbox import OutboxRelay, outbox_new, outbox_push
from shared.storage.people import InMemoryPeople, MongoPeople, PeopleStore
from tests.support.in_memory.mongo import InMemoryMongo
from tests.support.metrics import MetricDelta

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)


@pytest.fixture(params=["memory", "motor", "pymongo", "simulated"])
async def store(request: pytest.FixtureRequest, mongo_url: str, mongo_database: str) -> AsyncIterator[JournalStore]:
    if request.param == "memory":
        yield InMemoryJournalStore()
        return
    if request.param == "simulated":
        simulated = MongoJournalStore(InMemoryMongo().database("test"))
        await simulated.prepare()
        yield simulated
        return
    mongo = Mongo(ConnectionSettings(mongo_url=mongo_url, mongo_driver=request.param))
    subject = MongoJournalStore(mongo.database(mongo_database))
    await subject.prepare()
    yield subject
    await mongo.close()


def entry(seq: int, edition: str = "edn", *, published: bool = True, at: datetime = NOW) -> Entry:
    return Entry(
        edition_id=edition,
        seq=seq,
        at=at,
        applied={"affinity.v1/3": 41 + seq},
        changes=[{"type": "placed", "slot": seq}],
        outbox=[{"type": "t", "data": {"n": seq, "text": "ñ 🎉"}}],
        published=published,
    )


async def test_entries_come_back_whole_and_in_order(store: JournalStore) -> None:
    for seq in (1, 2, 10, 3):
        await store.append(entry(seq))
    await store.append(entry(1, "other"))
    assert await store.entries("edn", after=1) == [entry(2), entry(3), entry(10)]
    assert sorted(await store.editions()) == ["edn", "other"]


async def test_a_taken_sequence_number_is_refused_and_the_first_entry_stays(store: JournalStore) -> None:
    await store.append(entry(1))
    with pytest.raises(SequenceTaken):
        await store.append(entry(1, at=NOW + timedelta(seconds=1)))
    assert await store.entries("edn", after=0) == [entry(1)]


async def test_one_of_many_writers_of_a_sequence_number_wins(store: JournalStore) -> None:
    outcomes = await asyncio.gather(*(store.append(entry(1)) for _ in range(8)), return_exceptions=True)
    assert sum(outcome is None for outcome in outcomes) == 1
    assert sum(isinstance(outcome, SequenceTaken) for outcome in outcomes) == 7


async def test_unpublished_entries_are_found_by_age_until_marked(store: JournalStore) -> None:
    await store.append(entry(1, published=False))
    await store.append(entry(2, published=False))
    await store.append(entry(1, "young", published=False, at=NOW + timedelta(minutes=5)))
    found = await store.unpublished(NOW + timedelta(minutes=1), limit=10)
    assert [(e.edition_id, e.seq) for e in found] == [("edn", 1), ("edn", 2)]
    await store.mark_published(found[0])
    assert [e.seq for e in await store.unpublished(NOW + timedelta(minutes=1), limit=10)] == [2]


async def test_an_entry_in_the_old_format_is_refused(database: MongoDatabase) -> None:
    await database["journal"].insert_one({"_id": "edn:1", **vars(entry(1))})
    with pytest.raises(Unready, match="edn:1"):
        await MongoJournalStore(database).entries("edn", after=0)


async def test_the_newest_snapshot_is_kept(store: JournalStore) -> None:
    assert await store.snapshot("edn") is None
    for seq in (3, 6):
        await store.save_snapshot(StateSnapshot("edn", seq, b'{"a": "%d"}' % seq * 1000))
    assert await store.snapshot("edn") == StateSnapshot("edn", 6, b'{"a": "6"}' * 1000)


class CollectingPublisher:
    """Collects records; fails while `away`."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.away = False

    async def send(self, records: Sequence[Record]) -> None:
        if self.away:
            raise ConnectionError("away")
        self.records += records


def asked(revision: int) -> MatchRequestChanged:
    return MatchRequestChanged(
        operator_id="op",
        edition_id="edn",
        revision=revision,
        occurred_at=NOW,
        request_id="req_1",
        requester_id="prt_1",
        target_id="prt_2",
        state=RequestState.REQUESTED,
    )


async def test_an_outbox_is_sent_in_order_and_emptied(database: MongoDatabase) -> None:
    broker = CollectingPublisher()
    relay = OutboxRelay(database["things"], broker, lambda: NOW + timedelta(seconds=30))  # type: ignore[arg-type]
    await relay.prepare()
    await database["things"].insert_one({"_id": "req_1", **outbox_new([asked(1)])})
    await database["things"].update_one({"_id": "req_1"}, outbox_push([asked(2)]))
    for document_id in ("req_1", "req_1", "nothing"):
        relay.soon(document_id)
    await relay.drain()
    relay.soon("req_1")
    await relay.drain()
    assert [record.value for record in broker.records] == [encode(asked(n)).value for n in (1, 2)]
    assert await database["things"].find_one({"_id": "req_1"}) == {"_id": "req_1", "outbox": [], "pending_since": None}


async def test_outboxes_requested_during_a_send_are_sent_together(database: MongoDatabase) -> None:
    sends: list[int] = []

    class Counting(CollectingPublisher):
        async def send(self, records: Sequence[Record]) -> None:
            sends.append(len(records))

    relay = OutboxRelay(database["things"], Counting())  # type: ignore[arg-type]
    for number in range(30):
        await database["things"].insert_one({"_id": f"req_{number}", **outbox_new([asked(1)])})
    relay.soon("req_0")
    await asyncio.sleep(0)
    for number in range(1, 30):
        relay.soon(f"req_{number}")
    await relay.drain()
    assert sends == [1, 29]
    assert await database["things"].count_documents({"pending_since": None}) == 30


async def test_a_batch_is_sent_after_the_documents_that_are_sent_soon(database: MongoDatabase) -> None:
    sends: list[int] = []

    class Counting(CollectingPublisher):
        async def send(self, records: Sequence[Record]) -> None:
            sends.append(len(records))

    relay = OutboxRelay(database["things"], Counting(), lambda: NOW + timedelta(seconds=30))  # type: ignore[arg-type]
    await relay.prepare()
    for number in range(50):
        outbox = outbox_new([asked(1)], of_batch=number > 0)
        await database["things"].insert_one({"_id": f"req_{number}", **outbox})
    relay.later([f"req_{number}" for number in range(1, 50)])
    relay.soon("req_0")
    while not sends:
        await asyncio.sleep(0.001)
    assert sends == [1]
    await relay.drain()
    assert sends == [1, 20, 20, 9]
    assert await database["things"].count_documents({"pending_since": None}) == 50


async def test_the_sweeper_leaves_a_batch_to_its_writer_for_three_minutes(database: MongoDatabase) -> None:
    broker, now = CollectingPublisher(), NOW
    broker.away = True
    relay = OutboxRelay(database["things"], broker, lambda: now)  # type: ignore[arg-type]
    await database["things"].insert_one({"_id": "req_1", **outbox_new([asked(1)], of_batch=True)})
    relay.later(["req_1"])
    await relay.drain()
    broker.away = False
    sent = {}
    for seconds in (120, 200):
        now = NOW + timedelta(seconds=seconds)
        await relay.sweep()
        sent[seconds] = len(broker.records)
    assert sent == {120: 0, 200: 1}


async def test_a_batch_whose_sending_failed_is_sent_again_by_its_writer(database: MongoDatabase) -> None:
    broker = CollectingPublisher()
    broker.away = True
    relay = OutboxRelay(database["things"], broker, lambda: NOW)  # type: ignore[arg-type]
    await database["things"].insert_one({"_id": "req_1", **outbox_new([asked(1)], of_batch=True)})
    relay.later(["req_1"])
    await asyncio.sleep(0.7)
    assert broker.records == []
    broker.away = False
    await relay.drain()
    assert len(broker.records) == 1


async def test_an_outbox_that_another_sender_has_emptied_counts_as_sent(database: MongoDatabase) -> None:
    relay = OutboxRelay(database["things"], CollectingPublisher(), lambda: NOW + timedelta(seconds=30))  # type: ignore[arg-type]
    await database["things"].insert_one({"_id": "req_1", "outbox": [], "pending_since": NOW})
    await relay.sweep()
    assert await database["things"].find_one({"_id": "req_1"}) == {"_id": "req_1", "outbox": [], "pending_since": None}


async def test_the_sweeper_sends_an_outbox_that_its_writer_left(database: MongoDatabase) -> None:
    broker = CollectingPublisher()
    broker.away = True
    relay = OutboxRelay(database["things"], broker, lambda: NOW + timedelta(seconds=30))  # type: ignore[arg-type]
    await database["things"].insert_one({"_id": "req_1", **outbox_new([asked(1)])})
    relay.soon("req_1")
    await relay.drain()
    assert broker.records == []
    broker.away = False
    swept = MetricDelta(SWEPT)
    await relay.sweep()
    assert (len(broker.records), swept.value) == (1, 1)
    assert (await database["things"].find_one({"_id": "req_1"}))["pending_since"] is None


async def test_events_added_during_a_send_stay_and_are_swept(database: MongoDatabase) -> None:
    class Slow(CollectingPublisher):
        async def send(self, records: Sequence[Record]) -> None:
            if not self.records:
                await database["things"].update_one({"_id": "req_1"}, outbox_push([asked(2)]))
            await super().send(records)

    broker = Slow()
    relay = OutboxRelay(database["things"], broker, lambda: NOW + timedelta(seconds=30))  # type: ignore[arg-type]
    await database["things"].insert_one({"_id": "req_1", **outbox_new([asked(1)])})
    relay.soon("req_1")
    await relay.drain()
    document = await database["things"].find_one({"_id": "req_1"})
    assert ([packed["revision"] for packed in document["outbox"]], document["pending_since"]) == ([2], NOW)
    await relay.sweep()
    assert [record.value for record in broker.records] == [encode(asked(n)).value for n in (1, 2)]


@pytest.fixture(params=["memory", "motor", "pymongo", "simulated"])
async def people(request: pytest.FixtureRequest, mongo_url: str, mongo_database: str) -> AsyncIterator[PeopleStore]:
    if request.param == "memory":
        yield InMemoryPeople()
        return
    if request.param == "simulated":
        yield MongoPeople(InMemoryMongo().database("test"))
        return
    mongo = Mongo(ConnectionSettings(mongo_url=mongo_url, mongo_driver=request.param))
    subject = MongoPeople(mongo.database(mongo_database))
    await subject.prepare()
    yield subject
    await mongo.close()


async def test_texts_are_added_by_revision(people: PeopleStore) -> None:
    first = {"contact/prt_1": {2: {"name": "Ana"}}, "contact/prt_2": {1: {"name": "Eva Ñ 🎉"}}}
    await people.save("edn", first)
    await people.save("other", {"contact/prt_1": {9: {"name": "Zoe"}}})
    assert await people.load("edn") == first
    await people.save("edn", {"contact/prt_1": {1: {"name": "A"}}, "contact/prt_3": {-4: {"name": "Leo"}}})
    await people.save("edn", {"contact/prt_2": {2: {"name": "Eva R"}}})
    assert await people.load("edn") == {
        "contact/prt_1": {1: {"name": "A"}, 2: {"name": "Ana"}},
        "contact/prt_2": {1: {"name": "Eva Ñ 🎉"}, 2: {"name": "Eva R"}},
        "contact/prt_3": {-4: {"name": "Leo"}},
    }


async def test_an_erased_thing_takes_no_text_again(people: PeopleStore) -> None:
    await people.save("edn", {"contact/prt_1": {2: {"name": "Ana"}}, "contact/prt_2": None})
    await people.save("edn", {"contact/prt_1": None})
    await people.save("edn", {"contact/prt_1": {2: {"name": "Ana"}}, "contact/prt_2": {1: {"name": "Eva"}}})
    await people.save("edn", {"contact/prt_1": {3: {"name": "Ana"}}})
    assert await people.load("edn") == {"contact/prt_1": None, "contact/prt_2": None}
