"""The only consumer of the project: it hands batches to a handler, then commits.

Delivery is at least once. The commit is the visible last step, after the handler has journalled and published. The
offset of a record is committed only if the record was handled or is in its `.dlq` topic.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from typing import Any

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import IllegalStateError, KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage

from shared.contract.topics import Topic, group_of
from shared.messaging.assignment import PartitionAssignment
from shared.messaging.batch_handler import BatchHandler, Stopping
from shared.messaging.dead_letters import DeadLetters
from shared.messaging.inputs import Handler, Owns
from shared.runtime.clock import utc_now
from shared.runtime.health import Health, NotReady
from shared.runtime.log import get_logger
from shared.runtime.metrics import BATCH_SECONDS, FRESHNESS, LAG
from shared.runtime.settings import ServiceSettings

_log = get_logger(__name__)
#: Time for which the broker may hold back an empty fetch. Kafka answers at once when a record arrives; Tansu answers
#: only at the end of this time.
_FETCH_WAIT_MS = 100
#: Poll time-out of FastStream. After an empty poll FastStream sleeps for the same time, so a record may wait twice as
#: long.
_POLL_MS = 20


class Consumer:
    """Feeds a handler with inputs by edition, in the order of their partition."""

    def __init__(
        self,
        broker: KafkaBroker,
        settings: ServiceSettings,
        health: Health,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._broker = broker
        self._now = now
        self._settings = settings
        self._health = health
        self._group = group_of(settings.service)
        self._idle = asyncio.Event()
        self._idle.set()
        self._assignment = PartitionAssignment(self._idle, lambda: self._subscriber.consumer)
        self._batches: BatchHandler | None = None
        self._handled_up_to: dict[TopicPartition, int] = {}
        self._subscriber: Any = None

    def subscribe(self, *topics: Topic, handler: Handler) -> None:
        """Consume topics with a handler. All records of an edition go to the same process, a batch at a time."""
        settings = self._settings
        dead_letters = DeadLetters(self._broker, self._group, settings.dead_letter_budget, self._now)
        self._batches = BatchHandler(handler, dead_letters, settings, self._health)
        self._subscriber = self._broker.subscriber(
            *(topic.name for topic in topics),
            batch=True,
            group_id=self._group,
            ack_policy=AckPolicy.MANUAL,
            auto_offset_reset="earliest",
            partition_assignment_strategy=(RangePartitionAssignor,),
            max_records=settings.batch_max_records,
            batch_timeout_ms=_POLL_MS,
            fetch_max_wait_ms=_FETCH_WAIT_MS,
            session_timeout_ms=settings.session_timeout_ms,
            heartbeat_interval_ms=settings.session_timeout_ms // 3,
            rebalance_timeout_ms=60_000,
            max_poll_interval_ms=600_000,
            listener=self._assignment,
            parser=_keep_raw,
            decoder=_raw_records,
        )
        self._subscriber(self._on_batch)

    def on_assignment(self, *hooks: Callable[[Owns], None]) -> None:
        """Call hooks, in order, after every rebalance. A hook gets a function that says whether an edition is owned."""
        self._assignment.hooks += hooks

    async def stop(self) -> None:
        """End waits, leave an unfinished batch uncommitted, and return once no batch is in progress."""
        if self._batches is not None:
            self._batches.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), self._settings.shutdown_seconds)

    async def _on_batch(self, records: Sequence[ConsumerRecord]) -> None:
        assert self._batches is not None  # noqa: S101 - subscribe() set it before anything can arrive
        if self._batches.is_closing:
            return
        self._idle.clear()
        until = self._now() + self._settings.batch_every_ms / 1000
        try:
            with BATCH_SECONDS.time():
                await self._batches.handle(records)
                await self._commit(records)
            self._measure(records)
            # Collect records for a while, so that many are handled together; the first of many never waits.
            await self._batches.rest(until - self._now())
        except Stopping:
            _log.info("batch_left", records=len(records))
        finally:
            self._health.idle("consumer")
            self._idle.set()

    async def _commit(self, records: Sequence[ConsumerRecord]) -> None:
        offsets: dict[TopicPartition, int] = {}
        for record in records:
            partition = TopicPartition(record.topic, record.partition)
            offsets[partition] = max(offsets.get(partition, 0), record.offset + 1)
        self._handled_up_to |= offsets
        try:
            await self._subscriber.consumer.commit(offsets)
        except (KafkaError, IllegalStateError) as error:
            # The records are delivered again, to us or to the partition's new owner, and recognised by revision.
            _log.warning("commit_failed", error=error)

    def _measure(self, records: Sequence[ConsumerRecord]) -> None:
        now = utc_now().timestamp()
        for record in records:
            FRESHNESS.labels(topic=record.topic).set(max(0.0, now - record.timestamp / 1000))
        lag: dict[str, int] = {}
        for partition in self._subscriber.consumer.assignment():
            end = self._subscriber.consumer.highwater(partition)
            if end is not None and partition in self._handled_up_to:
                lag[partition.topic] = lag.get(partition.topic, 0) + max(0, end - self._handled_up_to[partition])
        for topic, unhandled in lag.items():
            LAG.labels(topic=topic).set(unhandled)

    async def check(self) -> None:
        """Readiness check: raise `NotReady` if the consumer has halted or has no partitions."""
        if self._batches is not None:
            self._batches.check()
        if not self._assignment.is_known:
            raise NotReady("no partitions assigned yet")


async def _keep_raw(records: tuple[ConsumerRecord, ...]) -> KafkaMessage:
    # FastStream's parser decodes headers as UTF-8, and one header in another encoding fails the whole batch.
    return KafkaMessage(body=b"", headers={}, raw_message=records, consumer=None)  # type: ignore[arg-type]


async def _raw_records(message: KafkaMessage) -> tuple[ConsumerRecord, ...]:
    records = message.raw_message
    return records if isinstance(records, tuple) else (records,)
