"""The consumer on a real broker: what it hands over, what it sets aside, and what it never commits."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar, NamedTuple

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from pymongo.errors import AutoReconnect

from shared.contract import ids
from shared.contract.cloudevents import encode
from shared.contract.events import Event, MatchRequestChanged, RequestState
from shared.contract.topics import MATCH_REQUEST
from shared.messaging import dead_letter_admin as dlq_admin
from shared.messaging import topic_admin
from shared.messaging.broker import KafkaPublisher, make_broker, partition_of
from shared.messaging.consumer import Consumer, Handler, Input, Poison
from shared.messaging.dead_letter_admin import DeadLetter
from shared.runtime.health import Health
from shared.runtime.settings import PARTITIONS, ConnectionSettings, ServiceSettings

pytestmark = pytest.mark.kafka

Running = Callable[..., contextlib.AbstractAsyncContextManager[Health]]


@pytest.fixture
async def connection(kafka_bootstrap: str, kafka_idempotence: bool) -> ConnectionSettings:
    settings = ConnectionSettings(kafka_bootstrap=kafka_bootstrap, kafka_idempotence=kafka_idempotence)
    await topic_admin.apply(settings)
    return settings


@pytest.fixture
def edition() -> str:
    return ids.new_id("edn")


@pytest.fixture
async def publisher(connection: ConnectionSettings) -> AsyncIterator[KafkaPublisher]:
    broker = make_broker(connection)
    await broker.start()
    yield KafkaPublisher(broker)
    await broker.stop()


@pytest.fixture
def running(connection: ConnectionSettings, edition: str) -> Running:
    """Runs a consumer of a group of its own, which hears of this test's edition only."""

    class Settings(ServiceSettings):
        service: ClassVar[str] = edition

    @contextlib.asynccontextmanager
    async def run(handler: Handler, **options: Any) -> AsyncIterator[Health]:
        async def of_this_edition(edition_id: str, inputs: Sequence[Input]) -> None:
            if edition_id == edition:
                await handler(edition_id, inputs)

        settings = Settings(
            kafka_bootstrap=connection.kafka_bootstrap, kafka_idempotence=connection.kafka_idempotence, **options
        )
        broker, health = make_broker(settings), Health(60)
        consumer = Consumer(broker, settings, health)
        consumer.subscribe(MATCH_REQUEST, handler=of_this_edition)
        await broker.start()
        try:
            yield health
        finally:
            await consumer.stop()
            await broker.stop()

    return run


class Seen(list[str]):
    """A handler, and the ids of the things it was given, in order."""

    async def __call__(self, _: str, inputs: Sequence[Input]) -> None:
        self.extend(read.event.thing_id for read in inputs)


def asked(edition: str, request: str, revision: int = 1) -> MatchRequestChanged:
    return MatchRequestChanged(
        operator_id="op",
        edition_id=edition,
        revision=revision,
        occurred_at=datetime(2026, 11, 26, tzinfo=UTC),
        request_id=request,
        requester_id="prt_1",
        target_id="prt_2",
        state=RequestState.REQUESTED,
    )


async def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


class Progress(NamedTuple):
    """How far a consumer has committed a partition, and the offset of the next record."""

    committed: int
    end: int


async def progress(connection: ConnectionSettings, edition: str) -> Progress:
    """That of the test's consumer, of the edition's partition."""
    place = TopicPartition(MATCH_REQUEST.name, partition_of(f"{edition}/".encode(), range(PARTITIONS)))
    consumer = AIOKafkaConsumer(
        bootstrap_servers=connection.kafka_servers, group_id=f"tertulia-{edition}", enable_auto_commit=False
    )
    await consumer.start()
    try:
        consumer.assign([place])
        return Progress(await consumer.committed(place) or 0, (await consumer.end_offsets([place]))[place])
    finally:
        await consumer.stop()


async def set_aside(connection: ConnectionSettings, edition: str) -> list[DeadLetter]:
    letters = await dlq_admin.letters(connection, MATCH_REQUEST.name)
    return [letter for letter in letters if letter.origin.consumer == f"tertulia-{edition}"]


async def poisoned(connection: ConnectionSettings, edition: str) -> list[DeadLetter]:
    """Without the undecodable records that other tests have planted on the same topic."""
    return [letter for letter in await set_aside(connection, edition) if letter.origin.cause == "poison"]


async def until_poisoned(connection: ConnectionSettings, edition: str, at_least: int) -> None:
    async with asyncio.timeout(30):
        while len(await poisoned(connection, edition)) < at_least:
            await asyncio.sleep(0.2)


async def test_inputs_arrive_in_order_with_their_positions_and_are_committed(
    connection: ConnectionSettings, publisher: KafkaPublisher, running: Running, edition: str
) -> None:
    seen: list[Input] = []

    async def take(_: str, inputs: Sequence[Input]) -> None:
        seen.extend(inputs)

    await publisher.publish(*(asked(edition, f"r{number}") for number in range(50)))
    async with running(take):
        await until(lambda: len(seen) == 50)
    assert [read.event.thing_id for read in seen] == [f"r{number}" for number in range(50)]
    offsets = [read.position.offset for read in seen]
    assert offsets == sorted(offsets)
    assert (await progress(connection, edition)).committed == offsets[-1] + 1


async def test_a_transient_error_makes_the_batch_wait_and_loses_nothing(
    publisher: KafkaPublisher, running: Running, edition: str
) -> None:
    seen: list[str] = []
    failures = 3

    async def take(_: str, inputs: Sequence[Input]) -> None:
        nonlocal failures
        if failures:
            failures -= 1
            raise AutoReconnect("the database is away")
        seen.extend(read.event.thing_id for read in inputs)

    await publisher.publish(asked(edition, "a"), asked(edition, "b"))
    async with running(take):
        await until(lambda: len(seen) == 2)
    assert seen == ["a", "b"]


async def test_poison_and_what_fails_for_no_known_reason_are_set_aside_alone(
    connection: ConnectionSettings, publisher: KafkaPublisher, running: Running, edition: str
) -> None:
    seen: list[str] = []

    async def take(_: str, inputs: Sequence[Input]) -> None:
        for read in inputs:
            if read.event.thing_id == "poison":
                raise Poison(read.event, "cannot be scored")
            if read.event.thing_id == "bug":
                raise KeyError("bug")
        seen.extend(read.event.thing_id for read in inputs)

    await publisher.publish(*(asked(edition, name) for name in ("a", "poison", "b", "bug", "c")))
    async with running(take, dead_letter_attempts=2):
        await until(lambda: len(seen) == 3)
    assert seen == ["a", "b", "c"]
    letters = {letter.origin.cause: letter for letter in await set_aside(connection, edition)}
    assert letters["poison"].origin.reason == "cannot be scored"
    assert "bug" in letters["failed"].origin.reason
    assert letters["poison"].origin.original_key == asked(edition, "poison").key.encode()


def undecodable(edition: str) -> dict[str, tuple[bytes, list[tuple[str, bytes]], bytes | None]]:
    """Key, headers and value of records that are no events. (One without a key a compacted topic refuses by itself.)"""
    good = encode(asked(edition, "x"))
    return {
        "garbage": (good.key, good.headers, b"\x00\xff garbage"),
        "no headers": (good.key, [], good.value),
        "header that is not UTF-8": (good.key, [("ce_type", b"\xff\xfe")], good.value),
        "another's key": (f"{edition}/request/y".encode(), good.headers, good.value),
        "wrong schema": (good.key, good.headers, b'{"request_id": 1}'),
        "an event of another topic": (
            good.key,
            [("ce_type", b"org.tertulia.affinity.scored.v1")],
            good.value,
        ),
        "tombstone": (good.key, good.headers, None),
    }


async def test_undecodable_records_of_every_kind_are_set_aside_and_block_nothing(
    connection: ConnectionSettings, publisher: KafkaPublisher, running: Running, edition: str
) -> None:
    seen = Seen()
    bad = undecodable(edition)
    async with AIOKafkaProducer(
        bootstrap_servers=connection.kafka_servers, acks="all", enable_idempotence=connection.kafka_idempotence
    ) as raw:
        partition = partition_of(f"{edition}/".encode(), range(PARTITIONS))
        for key, headers, value in bad.values():
            await raw.send_and_wait(MATCH_REQUEST.name, value=value, key=key, headers=headers, partition=partition)
    await publisher.publish(asked(edition, "good"))
    async with running(seen):
        await until(lambda: seen == ["good"])
    letters = await set_aside(connection, edition)
    assert len(letters) >= len(bad)
    assert {letter.origin.cause for letter in letters} == {"undecodable"}


async def test_a_consumer_that_would_set_everything_aside_stops_and_is_not_ready(
    connection: ConnectionSettings, publisher: KafkaPublisher, running: Running, edition: str
) -> None:
    async def take(_: str, inputs: Sequence[Input]) -> None:
        raise Poison(inputs[0].event, "a bad deploy")

    first = (await progress(connection, edition)).end
    await publisher.publish(*(asked(edition, f"r{number}") for number in range(5)))
    async with running(take, dead_letter_budget=0) as health:
        async with asyncio.timeout(30):
            while "stopped" not in (await health.missing()).get("kafka", ""):
                await asyncio.sleep(0.05)
        assert health.stalled() == []
    assert (
        await progress(connection, edition)
    ).committed <= first  # what other tests have left on the partition may be done
    assert await set_aside(connection, edition) == []


async def test_a_stop_leaves_what_is_in_hand_uncommitted_for_the_next_process(
    publisher: KafkaPublisher, running: Running, edition: str
) -> None:
    first_try = asyncio.Event()
    seen: list[str] = []

    async def away(_: str, inputs: Sequence[Input]) -> None:
        first_try.set()
        raise AutoReconnect("the database is away")

    async def take(_: str, inputs: Sequence[Input]) -> None:
        seen.extend(read.event.thing_id for read in inputs)

    await publisher.publish(asked(edition, "a"))
    async with running(away):
        await asyncio.wait_for(first_try.wait(), 30)
    async with running(take):
        await until(lambda: seen == ["a"])


async def test_a_replayed_letter_is_processed_and_gone_and_a_dropped_one_is_gone(
    connection: ConnectionSettings, publisher: KafkaPublisher, running: Running, edition: str
) -> None:
    seen: list[str] = []
    mended = False

    async def take(_: str, inputs: Sequence[Input]) -> None:
        if not mended:
            raise Poison(inputs[0].event, "not mended yet")
        seen.extend(read.event.thing_id for read in inputs)

    await publisher.publish(asked(edition, "a"), asked(edition, "b"))
    async with running(take):
        await until_poisoned(connection, edition, at_least=2)
        mended = True
        again, away = await poisoned(connection, edition)
        await dlq_admin.replay(connection, again)
        await dlq_admin.drop(connection, away)
        await until(lambda: len(seen) == 1)
    assert await poisoned(connection, edition) == []
    with pytest.raises(dlq_admin.UnknownLetter):
        await dlq_admin.find(connection, away.letter_id)


async def test_events_keep_the_trace_of_what_caused_them(
    publisher: KafkaPublisher, running: Running, edition: str
) -> None:
    seen: list[Input] = []

    async def take(_: str, inputs: Sequence[Input]) -> None:
        seen.extend(inputs)

    event: Event = asked(edition, "a")
    await publisher.send([encode(event, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")])
    async with running(take):
        await until(lambda: bool(seen))
    assert (seen[0].traceparent or "").startswith("00-0af7651916cd43dd8448eb211c80319c-")
