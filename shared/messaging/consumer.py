"""The only consumer of the project: it feeds the lanes of editions, and commits what they have finished.

Delivery is at least once. An offset is committed only if every record below it was handled, or is in its `.dlq` topic.
The commit follows the handling, which has journalled and published.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import IllegalStateError, KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage

from shared.contract.topics import Topic, group_of
from shared.messaging.assignment import PartitionAssignment
from shared.messaging.batch_handler import BatchHandler
from shared.messaging.broker_watch import BrokerWatch
from shared.messaging.dead_letters import UNKNOWN, DeadLetters
from shared.messaging.inputs import Handler, Owns
from shared.messaging.lanes import LaneLimits, Lanes
from shared.messaging.progress import ConsumerProgress
from shared.runtime.clock import utc_now
from shared.runtime.fair_turns import FairTurns
from shared.runtime.health import Health, NotReady
from shared.runtime.log import get_logger
from shared.runtime.metric_kinds import begin_series
from shared.runtime.metrics import (
    DEAD_LETTER_STOP,
    FRESHNESS,
    LAG,
    LANES,
    OLDEST_OPEN_SECONDS,
    OPEN_RECORDS,
    RECORDS,
    REFUSED,
    UNHANDLED_SECONDS,
)
from shared.runtime.retry import waits
from shared.runtime.settings import ServiceSettings

_log = get_logger(__name__)
#: Time for which the broker may hold back an empty fetch. Kafka answers at once when a record arrives; Tansu answers
#: only at the end of this time.
_FETCH_WAIT_MS = 100
#: Poll time-out of FastStream. After an empty poll FastStream sleeps for the same time, so a record may wait twice as
#: long.
_POLL_MS = 20
#: Time for which a rebalance waits for the turns in progress, while the whole group stands still. It makes double work
#: rare; the journal's fence makes double work harmless.
_REBALANCE_WAIT_SECONDS = 5.0
#: Operators held at once from which on the fault is probably the service's, not theirs.
_SUSPECT_OPERATORS = 3


class Consumer:
    """Feeds a handler with inputs by edition, in the order of their partition."""

    def __init__(
        self,
        broker: KafkaBroker,
        settings: ServiceSettings,
        health: Health,
        now: Callable[[], float] = time.monotonic,
        watch: BrokerWatch | None = None,
    ) -> None:
        self._broker = broker
        self._watch = watch or BrokerWatch(None, now)
        self._progress: ConsumerProgress | None = None
        self._now = now
        self._settings = settings
        self._health = health
        self._group = group_of(settings.service)
        self._dead_letters = DeadLetters(broker, self._group, settings.dead_letter_budget, now)
        self._turns = FairTurns(settings.lanes_at_work, most_each=max(1, settings.lanes_at_work // 2), now=now)
        self._assignment = PartitionAssignment(lambda: self._subscriber.consumer, self._end_lanes, self._begin_lanes)
        self._topics: list[str] = []
        self._handler: BatchHandler | None = None
        self._lanes: Lanes | None = None
        self._has_lanes = asyncio.Event()
        self._subscriber: Any = None
        self._committing: asyncio.Task[None] | None = None
        self._is_stopped = False
        health.watch("consumer", self._is_stuck)
        health.note("held", lambda: {owner: round(left) for owner, left in self._dead_letters.held().items()})

    def subscribe(self, *topics: Topic, handler: Handler) -> None:
        """Consume topics with a handler. All records of an edition go to the same process, a batch at a time."""
        settings = self._settings
        self._topics = [topic.name for topic in topics]
        self._handler = BatchHandler(handler, self._dead_letters, settings.dead_letter_attempts, self._health)
        begin_series(RECORDS, topic=self._topics, outcome=("applied", "dead_lettered"))
        begin_series(REFUSED, topic=self._topics, reason=("contradiction", "operator"))
        self._subscriber = self._broker.subscriber(
            *self._topics,
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
        """End waits, finish the turns in progress, commit, and leave the other records uncommitted."""
        self._is_stopped = True
        await self._drain(self._settings.shutdown_seconds)

    @property
    def _reader(self) -> AIOKafkaConsumer:
        """The client's consumer. Raises `IllegalStateError` after its end: a turn may outlast the wait at a stop."""
        if self._subscriber.consumer is None:
            raise IllegalStateError("the consumer has stopped")
        return self._subscriber.consumer

    async def look(self) -> None:
        """Note how far the consumer is behind, every few seconds."""
        if self._progress is not None:
            await self._progress.look()

    # -- calls of the lanes

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Read a partition from an offset on."""
        with contextlib.suppress(IllegalStateError):  # the partition was just lost
            self._reader.seek(partition, offset)

    def pause(self) -> None:
        """Fetch nothing more. Polls go on, so that the group does not take the consumer for dead."""
        with contextlib.suppress(IllegalStateError):
            self._reader.pause(*self._reader.assignment())

    def resume(self) -> None:
        """Fetch again."""
        with contextlib.suppress(IllegalStateError):
            self._reader.resume(*self._reader.paused())

    # -- an assignment

    def _begin_lanes(self) -> None:
        if self._handler is None or self._is_stopped:
            return
        limits = LaneLimits(self._settings.batch_max_records, self._settings.open_records)
        lanes = Lanes(self._handler, self, self._turns, limits, self._now, self._on_turn_ended)
        self._lanes = lanes
        self._progress = progress = ConsumerProgress(
            lambda: self._subscriber.consumer, lanes.offsets, self._watch, self._now
        )
        self._has_lanes.set()
        for topic in self._topics:
            LAG.labels(topic=topic).set_function(partial(progress.lag, topic))
            UNHANDLED_SECONDS.labels(topic=topic).set_function(partial(progress.unhandled_seconds, topic))
        LANES.set_function(lambda: len(lanes))
        OPEN_RECORDS.set_function(lambda: lanes.open_records)
        OLDEST_OPEN_SECONDS.set_function(lanes.oldest_seconds)
        DEAD_LETTER_STOP.set_function(lambda: len(self._dead_letters.held()))

    async def _end_lanes(self) -> None:
        await self._drain(_REBALANCE_WAIT_SECONDS)

    async def _drain(self, seconds: float) -> None:
        self._has_lanes.clear()
        if self._lanes is not None:
            await self._lanes.drain(seconds)
            await self._commit()

    # -- records

    async def _on_batch(self, records: Sequence[ConsumerRecord]) -> None:
        """Hand records to their lanes. FastStream fetches on when this returns."""
        until = self._now() + self._settings.batch_every_ms / 1000
        taken = 0
        for partition, batch in groupby(records, lambda record: TopicPartition(record.topic, record.partition)):
            taken += await self._take(partition, list(batch))
        if taken:
            # Collect records for a while, so that many are handled together; the first of many never waits.
            await asyncio.sleep(until - self._now())

    async def _take(self, partition: TopicPartition, records: Sequence[ConsumerRecord]) -> int:
        """Hand records to lanes, unless they will be read again: after a seek, or after a rebalance."""
        await self._has_lanes.wait()
        try:
            position = await self._reader.position(partition)
        except IllegalStateError:
            return 0
        lanes = self._lanes
        if lanes is None or lanes.is_closing or records[0].offset >= position:
            return 0
        taken = lanes.take(partition, records, position)
        if taken < len(records):
            self._commit_soon()  # the end of a second reading may finish the partition
        return taken

    def _on_turn_ended(self, records: Sequence[ConsumerRecord]) -> None:
        now = utc_now().timestamp()
        for record in records:
            FRESHNESS.labels(topic=record.topic).observe(max(0.0, now - record.timestamp / 1000))
        self._commit_soon()

    def _commit_soon(self) -> None:
        if self._committing is None or self._committing.done():
            self._committing = asyncio.create_task(self._commit())

    async def _commit(self) -> None:
        """Commit the lowest unfinished offset of every partition, until nothing is left to commit.

        Turns that end meanwhile share the next commit.
        """
        lanes, pauses = self._lanes, waits()
        while lanes is not None and lanes is self._lanes and (offsets := lanes.uncommitted()):
            try:
                await self._reader.commit(offsets)
            except (KafkaError, IllegalStateError) as error:
                # Records delivered again, to us or to the partition's new owner, are recognised by revision.
                _log.warning("commit_failed", error=error)
                if lanes.is_closing or self._subscriber.consumer is None:
                    return
                await asyncio.sleep(next(pauses))
            else:
                lanes.committed(offsets)

    def _is_stuck(self) -> bool:
        lanes, progress = self._lanes, self._progress
        if lanes is None or progress is None or not self._has_lanes.is_set():  # a rebalance fetches nothing
            return False
        return progress.is_stuck(is_idle=not lanes.open_records)

    async def check(self) -> None:
        """Readiness check: raise `NotReady` without partitions, or if dead letters make the service itself suspect."""
        if not self._assignment.is_known:
            raise NotReady("no partitions assigned yet")
        held = self._dead_letters.held()
        if UNKNOWN in held or len(held) >= _SUSPECT_OPERATORS:
            records = "records that cannot be decoded" if UNKNOWN in held else f"{len(held)} operators"
            seconds = max(held.values())
            raise NotReady(
                f"the dead-letter budget of {records} is spent, for {seconds:.0f} s at most: suspect the deploy"
            )


async def _keep_raw(records: tuple[ConsumerRecord, ...]) -> KafkaMessage:
    # FastStream's parser decodes headers as UTF-8, and one header in another encoding fails the whole batch.
    return KafkaMessage(body=b"", headers={}, raw_message=records, consumer=None)  # type: ignore[arg-type]


async def _raw_records(message: KafkaMessage) -> tuple[ConsumerRecord, ...]:
    records = message.raw_message
    return records if isinstance(records, tuple) else (records,)
