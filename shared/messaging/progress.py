"""The distance of a consumer from the ends of its partitions, looked at by a timer: an outage shows while it lasts."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import IllegalStateError

from shared.messaging.broker_watch import BrokerWatch
from shared.messaging.offsets import PartitionOffsets

LOOK_EVERY_SECONDS = 5.0
#: Time without a fetch, beside a broker that answers, after which the consumer counts as ended.
_STUCK_SECONDS = 30.0
_POSITION_SECONDS = 0.2


class ConsumerProgress:
    """The progress of an assignment. The broker told the end of a partition at the last fetch from it."""

    def __init__(
        self,
        reader: Callable[[], AIOKafkaConsumer | None],
        offsets: Mapping[TopicPartition, PartitionOffsets],
        watch: BrokerWatch,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Create the progress. `offsets` are the lanes' and lack partitions without a record so far."""
        self._reader = reader
        self._offsets = offsets
        self._watch = watch
        self._now = now
        self._began = now()
        #: The position of each partition without a record so far.
        self._positions: dict[TopicPartition, int] = {}
        #: Of each partition with unhandled records: an end that is not reached, and since when it is known.
        self._behind: dict[TopicPartition, tuple[int, float]] = {}

    def lag(self, topic: str) -> float:
        """Return the number of unhandled records of a topic; NaN while the broker has not told."""
        if self._watch.silent_seconds:
            return math.nan
        lags = [lag for partition in self._partitions(topic) if (lag := self._lag(partition)) is not None]
        return sum(lags) if lags else math.nan

    def unhandled_seconds(self, topic: str) -> float:
        """Return the time for which the oldest unhandled record of a topic has waited here, as far as is known."""
        since = [at for partition, (_, at) in self._behind.items() if partition.topic == topic]
        return self._now() - min(since) if since else 0.0

    async def look(self) -> None:
        """Note which partitions have unhandled records."""
        await self._read_positions()
        for partition in self._partitions():
            handled, end = self._handled(partition), self._end(partition)
            if handled is None or end is None:
                continue
            known = self._behind.get(partition)
            if handled >= end:
                self._behind.pop(partition, None)
            elif known is None or handled >= known[0]:
                self._behind[partition] = end, self._now()

    def is_stuck(self, *, is_idle: bool) -> bool:
        """Tell whether the consumer fetches no more, although the broker answers and it has no work in hand."""
        reader = self._reader()
        quiet = min(self._watch.answering_seconds, self._now() - self._began)
        if reader is None or not is_idle or quiet <= _STUCK_SECONDS or reader.paused():
            return False
        polls = [reader.last_poll_timestamp(partition) for partition in self._partitions()]
        if not polls:
            return False
        newest = max(poll or 0 for poll in polls)
        return time.time() - newest / 1000 > _STUCK_SECONDS

    def _partitions(self, topic: str | None = None) -> list[TopicPartition]:
        reader = self._reader()
        return [found for found in reader.assignment() if topic in {None, found.topic}] if reader else []

    async def _read_positions(self) -> None:
        """Read the positions of partitions without a record so far. They are in memory once the broker was asked."""
        reader = self._reader()
        for partition in self._partitions():
            if reader is None or partition in self._offsets or self._end(partition) is None:
                continue
            try:
                async with asyncio.timeout(_POSITION_SECONDS):
                    self._positions[partition] = await reader.position(partition)
            except (IllegalStateError, TimeoutError):
                self._positions.pop(partition, None)

    def _lag(self, partition: TopicPartition) -> int | None:
        handled, end = self._handled(partition), self._end(partition)
        return None if handled is None or end is None else max(0, end - handled)

    def _handled(self, partition: TopicPartition) -> int | None:
        offsets = self._offsets.get(partition)
        return self._positions.get(partition) if offsets is None else offsets.lowest_unfinished

    def _end(self, partition: TopicPartition) -> int | None:
        reader = self._reader()
        if reader is None or partition not in reader.assignment():
            return None
        end: int | None = reader.highwater(partition)
        return end
