"""Watch over the consumer groups from outside: committed offsets, and standstills of partitions."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from shared.contract.topics import group_of
from tests.chaos.poison import READERS
from tests.chaos.stack import PARTITIONS

_LOOK_EVERY_SECONDS = 0.5
GROUPS = {
    group_of(service): [topic for topic, readers in READERS.items() if service in readers]
    for service in ("matching", "scheduler", "notify")
}
PLACES = [TopicPartition(topic, partition) for topic in READERS for partition in range(PARTITIONS)]
Place = tuple[str, str, int]


@dataclass
class Standstills:
    """Longest time that a partition of a group had records to read and committed none, from looks at the offsets.

    A place is a group, a topic and a partition. Times are of a monotonic clock, in seconds.
    """

    longest: float = 0.0
    where: str = ""
    lags: dict[Place, int] = field(default_factory=dict)
    committed: dict[Place, int] = field(default_factory=dict)
    _since: dict[Place, float] = field(default_factory=dict)

    def look(self, now: float, committed: Mapping[Place, int], ends: Mapping[TopicPartition, int]) -> None:
        """Account for a look at the committed offsets and the ends of the logs."""
        for group, topics in GROUPS.items():
            for place in ((group, topic, partition) for topic in topics for partition in range(PARTITIONS)):
                done = committed.get(place, 0)
                lag = ends.get(TopicPartition(*place[1:]), 0) - done
                self.lags[place] = lag
                self._note(place, now)
                if lag <= 0:
                    self._since.pop(place, None)
                elif done > self.committed.get(place, -1) or place not in self._since:
                    self._since[place] = now
                self.committed[place] = done

    def behind(self) -> dict[str, int]:
        """Return the number of unread records by group; groups without any are left out."""
        sums = {group: sum(max(0, lag) for place, lag in self.lags.items() if place[0] == group) for group in GROUPS}
        return {group: lag for group, lag in sums.items() if lag}

    def _note(self, place: Place, now: float) -> None:
        stood = now - self._since.get(place, now)
        if stood > self.longest:
            self.longest, self.where = stood, f"{place[0]} on {place[1]}/{place[2]}"


class Watch:
    """Looks at the groups twice a second while it is entered, without the proxies."""

    def __init__(self, bootstrap: str) -> None:
        self.standstills = Standstills()
        self.looks = 0
        self._servers = bootstrap.split(",")
        self._looking: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._looking = asyncio.create_task(self._look_on())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._looking is not None:
            self._looking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._looking

    async def _look_on(self) -> None:
        consumer = AIOKafkaConsumer(bootstrap_servers=self._servers, enable_auto_commit=False)
        admin = AIOKafkaAdminClient(bootstrap_servers=self._servers, request_timeout_ms=5_000)
        await consumer.start()
        await admin.start()
        try:
            while True:
                with contextlib.suppress(KafkaError, TimeoutError):
                    await self._look(consumer, admin)
                await asyncio.sleep(_LOOK_EVERY_SECONDS)
        finally:
            await consumer.stop()
            await admin.close()

    async def _look(self, consumer: AIOKafkaConsumer, admin: AIOKafkaAdminClient) -> None:
        committed: dict[Place, int] = {}
        for group in GROUPS:
            offsets = await admin.list_consumer_group_offsets(group)
            committed |= {(group, place.topic, place.partition): max(0, at.offset) for place, at in offsets.items()}
        # Right on Apache Kafka, on which chaos runs; see `topic_log.end_offsets` for Tansu.
        ends = await consumer.end_offsets(PLACES)
        self.standstills.look(time.monotonic(), committed, ends)
        self.looks += 1
