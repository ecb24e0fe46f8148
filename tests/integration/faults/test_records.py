"""Records that no service of ours sends, floods of records, and reset offsets, on a real broker."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Sequence

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.errors import MessageSizeTooLargeError, PolicyViolationError
from aiokafka.structs import TopicPartition
from pymongo.errors import OperationFailure

from shared.contract.cloudevents import encode
from shared.contract.topics import MATCH_REQUEST
from shared.messaging import dead_letter_admin as dlq_admin
from shared.messaging.broker import MAX_RECORD_BYTES, KafkaPublisher
from shared.messaging.inputs import Input
from shared.runtime.settings import ConnectionSettings
from tests.support.kafka_consumer import (
    CollectingHandler,
    RunConsumer,
    dead_letters_of,
    match_request,
    partition_number,
    progress,
)
from tests.support.waiting import wait_until

pytestmark = pytest.mark.kafka


@pytest.fixture
async def foreigner(connection: ConnectionSettings) -> AsyncIterator[AIOKafkaProducer]:
    """Connect a foreign producer, which ignores our limits."""
    async with AIOKafkaProducer(
        bootstrap_servers=connection.kafka_servers,
        acks="all",
        enable_idempotence=connection.kafka_idempotence,
        max_request_size=8 * MAX_RECORD_BYTES,
    ) as producer:
        yield producer


async def test_unknown_fields_are_ignored_and_unknown_versions_dead_lettered(
    connection: ConnectionSettings, foreigner: AIOKafkaProducer, run_consumer: RunConsumer, edition_id: str
) -> None:
    """Version N beside N+1: a new field is ignored, an event of another version becomes a dead letter."""
    seen = CollectingHandler()
    grown, foreign, known = (encode(match_request(edition_id, name)) for name in ("grown", "foreign", "known"))
    more = json.dumps(json.loads(grown.value) | {"mood": "curious"}).encode()
    v2 = [(name, value.replace(b".v1", b".v2") if name == "ce_type" else value) for name, value in foreign.headers]
    at = partition_number(edition_id)
    await foreigner.send_and_wait(MATCH_REQUEST.name, more, key=grown.key, headers=grown.headers, partition=at)
    await foreigner.send_and_wait(MATCH_REQUEST.name, foreign.value, key=foreign.key, headers=v2, partition=at)
    await foreigner.send_and_wait(MATCH_REQUEST.name, known.value, key=known.key, headers=known.headers, partition=at)
    async with run_consumer(seen):
        await wait_until(lambda: len(seen) == 2)
    assert seen == ["grown", "known"]
    reasons = [
        letter.origin.reason
        for letter in await dead_letters_of(connection, edition_id)
        if letter.value == foreign.value
    ]
    assert len(reasons) == 1
    assert "match-request.changed.v2" in reasons[0]


async def test_the_largest_possible_record_is_dead_lettered_whole(
    connection: ConnectionSettings, foreigner: AIOKafkaProducer, run_consumer: RunConsumer, edition_id: str
) -> None:
    """A dead letter is larger than its record, because its headers hold the origin and the reason."""
    seen = CollectingHandler()
    good = encode(match_request(edition_id, "good"))
    huge = b"x" * (MAX_RECORD_BYTES - 500)
    at = partition_number(edition_id)
    await foreigner.send_and_wait(MATCH_REQUEST.name, huge, key=good.key, headers=good.headers, partition=at)
    await foreigner.send_and_wait(MATCH_REQUEST.name, good.value, key=good.key, headers=good.headers, partition=at)
    async with run_consumer(seen):
        await wait_until(lambda: seen == ["good"], seconds=60)
    [huge_letter] = [letter for letter in await dead_letters_of(connection, edition_id) if letter.value == huge]
    await dlq_admin.drop(connection, huge_letter)


@pytest.mark.apache_kafka  # the embedded broker takes records of any size
async def test_a_record_beyond_the_limit_is_refused_by_the_broker(foreigner: AIOKafkaProducer, edition_id: str) -> None:
    good = encode(match_request(edition_id, "good"))
    with pytest.raises(MessageSizeTooLargeError):
        await foreigner.send_and_wait(
            MATCH_REQUEST.name, b"x" * (2 * MAX_RECORD_BYTES), key=good.key, partition=partition_number(edition_id)
        )


@pytest.mark.parametrize("code", [14031, 20, 13], ids=["disk full", "read only", "not authorised"])
async def test_a_read_only_database_delays_the_batch_without_dead_letters(
    connection: ConnectionSettings, publisher: KafkaPublisher, run_consumer: RunConsumer, edition_id: str, code: int
) -> None:
    seen: list[str] = []
    refusals = 5  # more than `dead_letter_attempts`

    async def handle(_: str, inputs: Sequence[Input]) -> None:
        nonlocal refusals
        if refusals:
            refusals -= 1
            raise OperationFailure("no writes now", code)
        seen.extend(received.event.thing_id for received in inputs)

    await publisher.publish(match_request(edition_id, "a"), match_request(edition_id, "b"))
    async with run_consumer(handle, dead_letter_attempts=2):
        await wait_until(lambda: len(seen) == 2)
    assert seen == ["a", "b"]
    assert await dead_letters_of(connection, edition_id, "failed") == []


async def test_a_flood_of_records_is_handled_in_order_in_bounded_batches(
    publisher: KafkaPublisher, connection: ConnectionSettings, run_consumer: RunConsumer, edition_id: str
) -> None:
    seen: list[str] = []
    sizes: list[int] = []

    async def handle(_: str, inputs: Sequence[Input]) -> None:
        sizes.append(len(inputs))
        seen.extend(received.event.thing_id for received in inputs)

    asked_for = [f"r{number}" for number in range(1000)]
    await publisher.publish(*(match_request(edition_id, request_id) for request_id in asked_for))
    async with run_consumer(handle, batch_max_records=100, batch_every_ms=0):
        await wait_until(lambda: len(seen) >= 1000, seconds=60)
    assert seen == asked_for
    assert max(sizes) <= 100
    assert (await progress(connection, edition_id)).committed > 0


@pytest.mark.apache_kafka  # the embedded broker closes the connection at a request to delete records
async def test_a_group_reset_to_offset_zero_reads_all_records_again(
    connection: ConnectionSettings, publisher: KafkaPublisher, run_consumer: RunConsumer, edition_id: str
) -> None:
    """Lost offsets cost only time. The broker refuses to delete records of a compacted topic."""
    seen = CollectingHandler()
    await publisher.publish(match_request(edition_id, "a"), match_request(edition_id, "b"))
    async with run_consumer(seen):
        await wait_until(lambda: len(seen) == 2)
    assert (await progress(connection, edition_id)).committed > 0
    async with _admin(connection) as admin:
        place = TopicPartition(MATCH_REQUEST.name, partition_number(edition_id))
        with pytest.raises(PolicyViolationError):
            await admin.delete_records({place: RecordsToDelete(1)})
    await _send_back(connection, edition_id, place)
    async with run_consumer(seen):
        await wait_until(lambda: len(seen) == 4)
    assert seen == ["a", "b", "a", "b"]


async def _send_back(connection: ConnectionSettings, edition_id: str, place: TopicPartition) -> None:
    """Commit offset 0, where a group without offsets begins too."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=connection.kafka_servers, group_id=f"tertulia-{edition_id}", enable_auto_commit=False
    )
    await consumer.start()
    consumer.assign([place])
    await consumer.commit({place: 0})
    await consumer.stop()


@contextlib.asynccontextmanager
async def _admin(connection: ConnectionSettings) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=connection.kafka_servers)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()
