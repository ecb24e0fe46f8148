"""Topics read as a log: to their ends, or to the offsets that a group has committed."""

from __future__ import annotations

import asyncio

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from shared.contract.cloudevents import encode
from shared.contract.events import MatchRequestChanged
from shared.contract.topics import MATCH_REQUEST, Topic, group_of
from shared.messaging import dead_letter_admin, topic_admin, topic_log
from shared.messaging.broker import KafkaPublisher, client_options
from shared.messaging.dead_letters import DeadLetterCause, DeadLetterOrigin
from shared.messaging.topic_log import LogUnreadable
from shared.runtime.settings import ConnectionSettings
from tests.support.kafka_consumer import BrokerAddress, match_request, partition_number, progress

pytestmark = pytest.mark.kafka

#: Records of each batch, below the producer's 16 KB. Tansu's own answer is the second offset of the last batch: the
#: last batch must have several records, else the answer is right by chance.
BATCHES = (5, 15, 10)


@pytest.fixture(params=["broker", "tansu_broker"])
def settings_of_broker(request: pytest.FixtureRequest) -> ConnectionSettings:
    broker: BrokerAddress = request.getfixturevalue(request.param)
    return ConnectionSettings(kafka_bootstrap=broker.bootstrap, kafka_idempotence=broker.idempotence)


@pytest.fixture
async def either_broker(settings_of_broker: ConnectionSettings) -> ConnectionSettings:
    """Connect to Apache Kafka (unless it is unavailable), then to Tansu, with all topics created."""
    await topic_admin.apply(settings_of_broker)
    return settings_of_broker


def letter_headers(offset: int) -> dict[str, str]:
    origin = DeadLetterOrigin(
        topic=MATCH_REQUEST.name,
        partition=0,
        offset=offset,
        consumer="tertulia-batches",
        cause=DeadLetterCause.POISON,
        reason="planted",
        at="2026-11-26T00:00:00+00:00",
        key="",
    )
    return {"key": origin.letter_id, **origin.headers()}


async def test_records_written_in_batches_are_read_to_the_last(
    either_broker: ConnectionSettings, edition_id: str
) -> None:
    partition = partition_number(edition_id)
    async with AIOKafkaProducer(**client_options(either_broker), acks="all", linger_ms=50) as producer:
        for batch, size in enumerate(BATCHES):
            events = [encode(match_request(edition_id, f"r{batch}-{number}")) for number in range(size)]
            sent = [
                await producer.send(event.topic, event.value, key=event.key, headers=event.headers, partition=partition)
                for event in events
            ]
            last = (await asyncio.gather(*sent))[-1]
    log = await topic_log.read(either_broker, (MATCH_REQUEST,), edition_id)
    requests = log.of(edition_id).every(MatchRequestChanged)
    assert [request.request_id for request in requests] == [
        f"r{batch}-{number}" for batch, size in enumerate(BATCHES) for number in range(size)
    ]
    assert log.last_offsets[f"{MATCH_REQUEST.name}/{partition}"] == last.offset
    assert (await progress(either_broker, edition_id)).end == last.offset + 1


async def test_dead_letters_written_in_batches_are_listed_to_the_last(
    either_broker: ConnectionSettings, edition_id: str
) -> None:
    expected: set[str] = set()
    async with AIOKafkaProducer(**client_options(either_broker), acks="all", linger_ms=50) as producer:
        for size in BATCHES:
            sent = []
            for number in range(size):
                headers = letter_headers(1000 * size + number)
                key = headers.pop("key")
                expected.add(key)
                raw_headers = [(name, value.encode()) for name, value in headers.items()]
                sent.append(await producer.send(MATCH_REQUEST.dlq, b"{}", key=key.encode(), headers=raw_headers))
            await asyncio.gather(*sent)
    letters = await dead_letter_admin.letters(either_broker, MATCH_REQUEST.name)
    assert expected <= {letter.letter_id for letter in letters}
    for letter in letters:
        if letter.letter_id in expected:
            await dead_letter_admin.drop(either_broker, letter)


async def test_a_log_has_the_newest_event_of_each_thing_and_all_events(
    connection: ConnectionSettings, publisher: KafkaPublisher, edition_id: str
) -> None:
    async with AIOKafkaProducer(bootstrap_servers=connection.kafka_servers) as raw:
        key = f"{edition_id}/request/garbage".encode()
        await raw.send_and_wait(MATCH_REQUEST.name, b"garbage", key=key, partition=partition_number(edition_id))
    revisions = [("a", 1), ("b", 2), ("a", 3), ("b", 1)]
    events = [match_request(edition_id, request_id, revision) for request_id, revision in revisions]
    await publisher.publish(*events)
    log = await topic_log.read(connection, (MATCH_REQUEST,), edition_id)
    assert set(log.events) == {edition_id}
    assert log.undecodable == 1
    assert log.of(edition_id).every(MatchRequestChanged) == events
    assert log.of(edition_id).newest(MatchRequestChanged) == [events[1], events[2]]


async def test_a_log_of_a_group_stops_at_its_committed_offset(
    connection: ConnectionSettings, publisher: KafkaPublisher, edition_id: str
) -> None:
    await publisher.publish(match_request(edition_id, "a"), match_request(edition_id, "b"))
    group = group_of(edition_id)
    without_commit = await topic_log.read(connection, (MATCH_REQUEST,), edition_id, group)
    assert without_commit.uncommitted == {MATCH_REQUEST.name}
    assert len(without_commit.of(edition_id).every(MatchRequestChanged)) == 2
    partition = TopicPartition(MATCH_REQUEST.name, partition_number(edition_id))
    end = (await progress(connection, edition_id)).end
    consumer = AIOKafkaConsumer(bootstrap_servers=connection.kafka_servers, group_id=group, enable_auto_commit=False)
    await consumer.start()
    consumer.assign([partition])
    await consumer.commit({partition: end - 1})
    await consumer.stop()
    log = await topic_log.read(connection, (MATCH_REQUEST,), edition_id, group)
    assert [request.request_id for request in log.of(edition_id).every(MatchRequestChanged)] == ["a"]


async def test_a_topic_that_the_broker_lacks_is_named_in_the_error(connection: ConnectionSettings) -> None:
    with pytest.raises(LogUnreadable, match="nowhere"):
        await topic_log.read(connection, (Topic("nowhere.v1", "", "", ()),))
