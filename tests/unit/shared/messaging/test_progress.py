"""The progress of a consumer: lag, waiting records, and a consumer that has ended."""

from __future__ import annotations

import math
import time
from typing import cast

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.messaging.broker_watch import BrokerWatch
from shared.messaging.offsets import PartitionOffsets
from shared.messaging.progress import ConsumerProgress

FIRST, SECOND = TopicPartition("t", 0), TopicPartition("t", 1)


class Reader:
    """An assigned consumer with the calls of aiokafka's."""

    def __init__(self) -> None:
        self.ends: dict[TopicPartition, int | None] = {FIRST: None, SECOND: None}
        self.positions = {FIRST: 0, SECOND: 0}
        self.polled = time.time()
        self.is_paused = False

    def assignment(self) -> set[TopicPartition]:
        return set(self.ends)

    def paused(self) -> set[TopicPartition]:
        return self.assignment() if self.is_paused else set()

    def highwater(self, partition: TopicPartition) -> int | None:
        return self.ends[partition]

    def last_poll_timestamp(self, _: TopicPartition) -> int:
        return int(self.polled * 1000)

    async def position(self, partition: TopicPartition) -> int:
        return self.positions[partition]


class Scene:
    """A consumer with two partitions, and the clock of its progress."""

    def __init__(self) -> None:
        self.now = 0.0
        self.reader = Reader()
        self.offsets: dict[TopicPartition, PartitionOffsets] = {}
        self.is_silent = False
        self.watch = BrokerWatch(self._ask, lambda: self.now)
        self.progress = ConsumerProgress(
            lambda: cast("AIOKafkaConsumer", self.reader), self.offsets, self.watch, lambda: self.now
        )

    async def _ask(self) -> None:
        if self.is_silent:
            raise ConnectionError

    async def pass_time(self, seconds: int) -> None:
        for _ in range(seconds // 5):
            self.now += 5
            await self.watch.look()
            await self.progress.look()

    def fetch(self, partition: TopicPartition, first: int, end: int) -> PartitionOffsets:
        """Fetch all records of a partition into lanes."""
        offsets = self.offsets.setdefault(partition, PartitionOffsets(first))
        for offset in range(first, end):
            offsets.open("edn", offset)
        offsets.reached(end)
        self.reader.ends[partition] = end
        return offsets


@pytest.fixture
def scene() -> Scene:
    return Scene()


async def test_lag_is_unknown_before_the_broker_told_an_end(scene: Scene) -> None:
    await scene.pass_time(5)
    assert math.isnan(scene.progress.lag("t"))


async def test_lag_counts_records_in_lanes_and_records_not_fetched_yet(scene: Scene) -> None:
    scene.fetch(FIRST, 10, 14).finish(10)
    scene.reader.ends[FIRST] = 20
    scene.reader.ends[SECOND], scene.reader.positions[SECOND] = 7, 5
    await scene.pass_time(5)
    assert scene.progress.lag("t") == 9 + 2
    assert math.isnan(scene.progress.lag("another topic"))


async def test_lag_is_unknown_while_the_broker_is_silent(scene: Scene) -> None:
    scene.fetch(FIRST, 0, 1).finish(0)
    await scene.pass_time(5)
    assert scene.progress.lag("t") == 0
    scene.is_silent = True
    await scene.pass_time(10)
    assert math.isnan(scene.progress.lag("t"))
    scene.is_silent = False
    await scene.pass_time(5)
    assert scene.progress.lag("t") == 0


async def test_the_wait_of_a_record_grows_until_it_is_handled(scene: Scene) -> None:
    offsets = scene.fetch(FIRST, 0, 3)
    await scene.pass_time(65)
    assert scene.progress.unhandled_seconds("t") == 60
    for offset in range(3):
        offsets.finish(offset)
    await scene.pass_time(5)
    assert scene.progress.unhandled_seconds("t") == 0


async def test_a_steady_stream_of_handled_records_never_waits_for_long(scene: Scene) -> None:
    offsets = scene.fetch(FIRST, 0, 1)
    for newest in range(1, 60):
        scene.fetch(FIRST, newest, newest + 1)
        offsets.finish(newest - 1)
        await scene.pass_time(5)
        assert scene.progress.unhandled_seconds("t") <= 5


async def test_a_consumer_without_fetches_beside_an_answering_broker_is_stuck(scene: Scene) -> None:
    await scene.pass_time(40)
    assert not scene.progress.is_stuck(is_idle=True)
    scene.reader.polled -= 31
    assert scene.progress.is_stuck(is_idle=True)
    assert not scene.progress.is_stuck(is_idle=False)
    scene.reader.is_paused = True
    assert not scene.progress.is_stuck(is_idle=True)


async def test_a_consumer_is_not_stuck_soon_after_the_broker_is_back(scene: Scene) -> None:
    scene.is_silent = True
    await scene.pass_time(100)
    scene.reader.polled -= 100
    assert not scene.progress.is_stuck(is_idle=True)
    scene.is_silent = False
    await scene.pass_time(30)
    assert not scene.progress.is_stuck(is_idle=True)
    await scene.pass_time(10)
    assert scene.progress.is_stuck(is_idle=True)
