"""The only consumer of the project: decodes, groups by edition, backs off, dead-letters, then commits.

Delivery is at least once. Commit is the visible last step, after the handler has journalled and published;
an offset is never committed for a record that is neither handled nor in its `.dlq` topic.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import IllegalStateError, KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage

from shared.contract import cloudevents
from shared.contract.cloudevents import Undecodable
from shared.contract.events import Event
from shared.contract.topics import Topic, group_of
from shared.messaging.broker import partition_of
from shared.messaging.dead_letters import BudgetSpent, DeadLetterCause, DeadLetters
from shared.runtime import trace
from shared.runtime.clock import utc_now
from shared.runtime.health import Health, NotReady
from shared.runtime.log import get_logger
from shared.runtime.metrics import BATCH_SECONDS, DEAD_LETTER_STOP, FRESHNESS, LAG, RECORDS, RETRIES
from shared.runtime.retry import is_transient, waits
from shared.runtime.settings import ServiceSettings

_log = get_logger(__name__)
#: Editions of one batch that are handled side by side.
_EDITIONS_AT_ONCE = 8
#: How long the broker may keep an empty fetch. Kafka answers at once when a record comes; Tansu only when this is over.
_FETCH_WAIT_MS = 100
#: How long FastStream waits for a batch, and as long again, deaf, when none has come: what comes then waits that long.
_POLL_MS = 20
#: How long a rebalance waits for the batch in hand. Only the journal's fence makes it safe; this makes it rare.
_REBALANCE_WAIT_SECONDS = 20.0


@dataclass(frozen=True)
class Position:
    """Where a record was."""

    topic: str
    partition: int
    offset: int


@dataclass(frozen=True)
class Input:
    """A decoded record."""

    event: Event
    position: Position
    traceparent: str | None = None


class Poison(Exception):
    """An event that can never be processed, whatever else happens: it alone is dead-lettered."""

    def __init__(self, event: Event, reason: str) -> None:
        super().__init__(reason)
        self.event = event


class _Stopping(Exception):
    """The service is stopping: leave the batch uncommitted, another process takes it."""


Handler = Callable[[str, Sequence[Input]], Awaitable[None]]
#: Whether an edition's records come to this process.
Owns = Callable[[str], bool]


class Consumer:
    """Feeds a handler with the inputs of one edition at a time, in the order of each partition."""

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
        self._dead_letters = DeadLetters(broker, self._group, settings.dead_letter_budget, now)
        self._closing = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._assigned = False
        self._on_share: list[Callable[[Owns], None]] = []
        self._done: dict[TopicPartition, int] = {}
        self._stopped_because = ""
        self._subscriber: Any = None
        self._handler: Handler | None = None
        health.require("kafka", self._ready)

    def subscribe(self, *topics: Topic, handler: Handler) -> None:
        """Consume topics with one handler: all records of an edition meet in one process, in one batch at a time."""
        self._handler = handler
        settings = self._settings
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
            listener=_Rebalances(self),
            parser=_keep_raw,
            decoder=_raw_records,
        )
        self._subscriber(self._on_batch)

    def on_assignment(self, *hooks: Callable[[Owns], None]) -> None:
        """Have these called, in order, with which editions are its own whenever the group has given it a share."""
        self._on_share += hooks

    async def stop(self) -> None:
        """End waits, and leave uncommitted what is not done; returns once nothing is in hand."""
        self._closing.set()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), self._settings.shutdown_seconds)

    async def _on_batch(self, records: Sequence[ConsumerRecord]) -> None:
        if self._closing.is_set():
            return
        self._idle.clear()
        until = self._now() + self._settings.batch_every_ms / 1000
        try:
            with BATCH_SECONDS.time():
                await self._settle(records)
                await self._commit(records)
            self._measure(records)
            await self._rest(until - self._now())  # more come in: the first of many never waits
        except _Stopping:
            _log.info("batch_left", records=len(records))
        finally:
            self._health.idle("consumer")
            self._idle.set()

    async def _settle(self, records: Sequence[ConsumerRecord]) -> None:
        editions: dict[str, list[tuple[ConsumerRecord, Input]]] = {}
        for record in records:
            try:
                read = _read(record)
            except Undecodable as error:
                await self._dead_letter(record, DeadLetterCause.UNDECODABLE, str(error))
            else:
                editions.setdefault(read.event.edition_id, []).append((record, read))
        limit = asyncio.Semaphore(_EDITIONS_AT_ONCE)

        async def one(edition_id: str, batch: list[tuple[ConsumerRecord, Input]]) -> None:
            async with limit:
                await self._handle(edition_id, batch)

        outcomes = await asyncio.gather(
            *(one(edition_id, batch) for edition_id, batch in editions.items()), return_exceptions=True
        )
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    async def _handle(self, edition_id: str, batch: list[tuple[ConsumerRecord, Input]]) -> None:
        """Handle one edition's inputs: wait out what is transient, single out and set aside what cannot be done."""
        assert self._handler is not None  # noqa: S101 - subscribe() set it before anything can arrive
        pauses, attempts = waits(), 0
        trace.follow(batch[-1][1].traceparent)
        while batch:
            self._health.progress("consumer")
            try:
                await self._handler(edition_id, [read for _, read in batch])
            except Poison as poison:
                batch = await self._without_poison(batch, poison)
            except Exception as error:  # noqa: BLE001 - nothing may escape: the batch would be lost
                transient = is_transient(error)
                attempts += not transient
                RETRIES.labels(error=type(error).__name__).inc()
                _log.warning("handler_failed", edition=edition_id, inputs=len(batch), error=repr(error), exc_info=error)
                if not transient and len(batch) > 1:
                    for single in batch:
                        await self._handle(edition_id, [single])
                    return
                if attempts >= self._settings.dead_letter_attempts:
                    await self._dead_letter(batch[0][0], DeadLetterCause.FAILED, repr(error))
                    return
                await self._pause(next(pauses))
            else:
                for record, _ in batch:
                    RECORDS.labels(topic=record.topic, outcome="applied").inc()
                return

    async def _without_poison(
        self, batch: list[tuple[ConsumerRecord, Input]], poison: Poison
    ) -> list[tuple[ConsumerRecord, Input]]:
        bad = [(record, read) for record, read in batch if read.event is poison.event]
        for record, _ in bad or batch:
            await self._dead_letter(record, DeadLetterCause.POISON, str(poison))
        return [one for one in batch if one not in bad] if bad else []

    async def _dead_letter(self, record: ConsumerRecord, cause: DeadLetterCause, reason: str) -> None:
        pauses = waits()
        while True:
            try:
                await self._dead_letters.add(record, cause, reason)
            except BudgetSpent as error:
                await self._halt(str(error))
            except KafkaError as error:
                RETRIES.labels(error=type(error).__name__).inc()
                await self._pause(next(pauses))
            else:
                RECORDS.labels(topic=record.topic, outcome="dead_lettered").inc()
                _log.error(
                    "dead_lettered",
                    topic=record.topic,
                    partition=record.partition,
                    offset=record.offset,
                    cause=cause,
                    reason=reason,
                )
                return

    async def _halt(self, reason: str) -> None:
        self._stopped_because = reason
        DEAD_LETTER_STOP.set(1)
        _log.critical("consumer_stopped", reason=reason, do="roll back or mend, restart, then `tertulia dlq replay`")
        while True:
            await self._pause(self._settings.stall_seconds / 4)

    async def _pause(self, seconds: float) -> None:
        self._health.progress("consumer")
        await self._rest(seconds)
        if self._closing.is_set():
            raise _Stopping
        self._health.progress("consumer")

    async def _rest(self, seconds: float) -> None:
        """Wait, but no longer than until the service stops."""
        if seconds > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), seconds)

    async def _commit(self, records: Sequence[ConsumerRecord]) -> None:
        offsets: dict[TopicPartition, int] = {}
        for record in records:
            place = TopicPartition(record.topic, record.partition)
            offsets[place] = max(offsets.get(place, 0), record.offset + 1)
        self._done |= offsets
        try:
            await self._subscriber.consumer.commit(offsets)
        except (KafkaError, IllegalStateError) as error:
            # The records come again, to us or to the partition's new owner, and are known by their revisions.
            _log.warning("commit_failed", error=repr(error))

    def _measure(self, records: Sequence[ConsumerRecord]) -> None:
        now = utc_now().timestamp()
        for record in records:
            FRESHNESS.labels(topic=record.topic).set(max(0.0, now - record.timestamp / 1000))
        lag: dict[str, int] = {}
        for place in self._subscriber.consumer.assignment():
            end = self._subscriber.consumer.highwater(place)
            if end is not None and place in self._done:
                lag[place.topic] = lag.get(place.topic, 0) + max(0, end - self._done[place])
        for topic, waiting in lag.items():
            LAG.labels(topic=topic).set(waiting)

    async def _ready(self) -> None:
        if self._stopped_because:
            raise NotReady(f"stopped: {self._stopped_because}")
        if not self._assigned:
            raise NotReady("no partitions assigned yet")

    def on_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Note that the group has given this process its share, be it empty."""
        self._assigned = True
        share: defaultdict[str, set[int]] = defaultdict(set)
        for place in assigned:
            share[place.topic].add(place.partition)

        def owns(edition_id: str) -> bool:
            return any(self._is_in(edition_id, topic, ours) for topic, ours in share.items())

        for hook in self._on_share:
            hook(owns)

    def _is_in(self, edition_id: str, topic: str, ours: Collection[int]) -> bool:
        """Whether the edition's records are in one of our partitions; it may be if nobody has told us how many are."""
        partitions = self._subscriber.consumer.partitions_for_topic(topic)
        return not partitions or partition_of(edition_id.encode(), sorted(partitions)) in ours

    async def on_revoked(self) -> None:
        """Wait for the batch in hand, for a while."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), _REBALANCE_WAIT_SECONDS)


class _Rebalances(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka ships no types
    def __init__(self, consumer: Consumer) -> None:
        self._consumer = consumer

    async def on_partitions_revoked(self, revoked: list[TopicPartition]) -> None:
        if revoked:
            await self._consumer.on_revoked()

    async def on_partitions_assigned(self, assigned: list[TopicPartition]) -> None:
        self._consumer.on_assigned(assigned)
        _log.info("assigned", partitions=len(assigned))


def _read(record: ConsumerRecord) -> Input:
    return Input(
        event=cloudevents.event_in(record),
        position=Position(record.topic, record.partition, record.offset),
        traceparent=cloudevents.header(record.headers, trace.TRACEPARENT),
    )


async def _keep_raw(records: tuple[ConsumerRecord, ...]) -> KafkaMessage:
    # FastStream's parser decodes headers as UTF-8 and fails on the whole batch where one is not.
    return KafkaMessage(body=b"", headers={}, raw_message=records, consumer=None)  # type: ignore[arg-type]


async def _raw_records(message: KafkaMessage) -> tuple[ConsumerRecord, ...]:
    records = message.raw_message
    return records if isinstance(records, tuple) else (records,)
