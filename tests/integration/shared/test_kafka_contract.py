"""The behaviour of Kafka that the services rely on: of a real broker, and of the simulated broker."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, cast

import pytest
from aiokafka import ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import IllegalStateError, KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker

from shared.contract import ids
from shared.contract.topics import MATCH_REQUEST
from shared.messaging import topic_admin
from shared.messaging.broker import make_broker, partition_of
from shared.messaging.consumer import _keep_raw, _raw_records
from shared.runtime.settings import PARTITIONS, ConnectionSettings
from tests.simulation.faults import NoFaults
from tests.support import apache_kafka
from tests.support.in_memory.kafka import InMemoryKafka
from tests.support.in_memory.kafka_client import InMemoryBroker
from tests.support.in_memory.process import Process

pytestmark = pytest.mark.kafka

Connect = Callable[[], KafkaBroker]
TOPIC = MATCH_REQUEST.name


@pytest.fixture(params=["real", "simulated"])
async def connect(request: pytest.FixtureRequest, kafka_bootstrap: str, kafka_idempotence: bool) -> Connect:
    """Create clients, as if every client ran in its own process."""
    if request.param == "real":
        settings = ConnectionSettings(kafka_bootstrap=kafka_bootstrap, kafka_idempotence=kafka_idempotence)
        await topic_admin.apply(settings)
        return lambda: make_broker(settings)
    chance = random.Random(1)  # noqa: S311 - makes a run, not a secret
    kafka = InMemoryKafka(PARTITIONS, time.time(), chance)
    return lambda: cast("KafkaBroker", InMemoryBroker(kafka, Process("any", 1, NoFaults(chance), [])))


@pytest.fixture
def mine() -> str:
    """Name the prefix of this test's record keys and group, because all tests share the broker."""
    return ids.new_id("edn")


class DoesNotWait(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka ships no types
    async def on_partitions_revoked(self, revoked: list[TopicPartition]) -> None:
        """Release partitions at once, even during a batch."""

    async def on_partitions_assigned(self, assigned: list[TopicPartition]) -> None:
        """Do nothing."""


class Reader:
    """A member of the test's group. While `held` is unset, its handler keeps the records of this test."""

    def __init__(self, broker: KafkaBroker, mine: str) -> None:
        self.read: list[ConsumerRecord] = []
        self.held = asyncio.Event()
        self.held.set()
        self.fails = False
        self._mine = mine.encode()
        self._subscriber: Any = broker.subscriber(
            TOPIC,
            batch=True,
            group_id=f"group-{mine}",
            ack_policy=AckPolicy.MANUAL,
            auto_offset_reset="earliest",
            partition_assignment_strategy=(RangePartitionAssignor,),
            max_records=500,
            batch_timeout_ms=200,
            fetch_max_wait_ms=50,
            session_timeout_ms=6000,
            heartbeat_interval_ms=500,
            listener=DoesNotWait(),
            parser=_keep_raw,
            decoder=_raw_records,
        )
        self._subscriber(self._handle)

    async def _handle(self, records: Sequence[ConsumerRecord]) -> None:
        found = [record for record in records if (record.key or b"").startswith(self._mine)]
        self.read += found
        if found and self.fails:
            self.fails = False
            raise ValueError("on purpose")
        if found:  # records of other tests on the shared topic are passed over
            await self.held.wait()

    async def commit(self) -> None:
        """Commit all records read."""
        ends = {TopicPartition(record.topic, record.partition): record.offset + 1 for record in self.read}
        await self._subscriber.consumer.commit(ends)

    async def until(self, count: int) -> None:
        async with asyncio.timeout(30):
            while len(self.read) < count:
                await asyncio.sleep(0.02)

    @property
    def values(self) -> list[bytes | None]:
        return [record.value for record in self.read]


@contextlib.asynccontextmanager
async def running(connect: Connect, mine: str) -> AsyncIterator[Reader]:
    broker = connect()
    reader = Reader(broker, mine)
    await broker.start()
    try:
        yield reader
    finally:
        reader.held.set()
        await broker.stop()


async def send(connect: Connect, keys: Sequence[str]) -> None:
    """Send a numbered record for every key, without waiting for acknowledgements in between."""
    broker = connect()
    await broker.start()
    acknowledgements = [
        await broker.publish(str(n).encode(), topic=TOPIC, key=key.encode(), headers={}, no_confirm=True)
        for n, key in enumerate(keys)
    ]
    await asyncio.gather(*acknowledgements)
    await broker.stop()


async def test_the_records_of_an_edition_share_a_partition_and_keep_their_order(connect: Connect, mine: str) -> None:
    await send(connect, [f"{mine}/request/{n % 3}" for n in range(60)])
    async with running(connect, mine) as reader:
        await reader.until(60)
        assert reader.values == [str(n).encode() for n in range(60)]
        expected = partition_of(f"{mine}/".encode(), range(PARTITIONS))
        assert {record.partition for record in reader.read} == {expected}


async def test_the_next_consumer_reads_on_from_the_committed_offset(connect: Connect, mine: str) -> None:
    await send(connect, [f"{mine}/request/{n}" for n in range(3)])
    async with running(connect, mine) as first:
        await first.until(3)
        await first.commit()
    await send(connect, [f"{mine}/request/more"])
    for _ in range(2):  # the second commits nothing, so the third reads the same
        async with running(connect, mine) as following:
            await following.until(1)
            assert [record.key for record in following.read] == [f"{mine}/request/more".encode()]


async def test_a_batch_whose_handler_raised_is_not_delivered_again(connect: Connect, mine: str) -> None:
    async with running(connect, mine) as reader:
        reader.fails = True
        await send(connect, [f"{mine}/request/lost"])
        await reader.until(1)
        await send(connect, [f"{mine}/request/next"])
        await reader.until(2)
        assert [record.key for record in reader.read] == [f"{mine}/request/{k}".encode() for k in ("lost", "next")]


async def test_only_the_owner_of_a_partition_can_commit_it(
    connect: Connect, mine: str, request: pytest.FixtureRequest
) -> None:
    if "[real]" in request.node.name:
        apache_kafka.require()  # on the embedded broker the test does not end
    keys = _one_of_each_partition(mine)
    async with running(connect, mine) as first:
        first.held.clear()
        await send(connect, keys)
        await first.until(1)
        async with running(connect, mine) as second:
            await second.until(1)
            moved = [record for record in first.read if record.key in {taken.key for taken in second.read}]
            first.read = moved or second.read
            with pytest.raises((IllegalStateError, KafkaError)):
                await first.commit()
    async with running(connect, mine) as third:
        await third.until(len(keys))  # no member has committed


def _one_of_each_partition(mine: str) -> list[str]:
    keys: dict[int, str] = {}
    number = 0
    while len(keys) < PARTITIONS:
        key = f"{mine}{number}/request/1"
        keys.setdefault(partition_of(key.encode(), range(PARTITIONS)), key)
        number += 1
    return list(keys.values())
