"""Topics read as a log, outside of any consumer group, for the command line's tools."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeVar

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from shared.contract.cloudevents import Undecodable, event_in
from shared.contract.events import EditionChanged, Event
from shared.contract.topics import Topic, topic_of
from shared.messaging.broker import client_options
from shared.runtime.settings import ConnectionSettings

E = TypeVar("E", bound=Event)
#: A broker that sends nothing for this long, although records are missing, counts as away.
_SILENCE_SECONDS = 15.0
#: Time for which the broker may hold back an empty fetch: most partitions have nothing more to send.
_FETCH_WAIT_MS = 50
_CHECK_EVERY_SECONDS = 0.01


class LogUnreadable(Exception):
    """A topic is missing, or the broker stopped answering; the message names the topic."""


@dataclass
class TopicLog:
    """The events of some topics, in the order of their partitions.

    Attributes:
        events: the events by edition.
        last_offsets: `"<topic>/<partition>"` to the offset of the last record read.
        undecodable: the number of records that are not events of the contract.
        uncommitted: the topics in which the group has committed no offset. They were read to their ends.
    """

    events: dict[str, list[Event]] = field(default_factory=dict)
    last_offsets: dict[str, int] = field(default_factory=dict)
    undecodable: int = 0
    uncommitted: set[str] = field(default_factory=set)

    def of(self, edition_id: str, operator_id: str | None = None) -> EditionEvents:
        """Return the events of an edition. `operator_id` is as for `EditionEvents`."""
        return EditionEvents(self.events.get(edition_id, ()), self.last_offsets, operator_id)

    def add(self, record: ConsumerRecord, edition_id: str | None) -> None:
        """Add the event of a record, unless `edition_id` names another edition."""
        self.last_offsets[f"{record.topic}/{record.partition}"] = record.offset
        if edition_id is not None and not (record.key or b"").startswith(f"{edition_id}/".encode()):
            return
        try:
            event = event_in(record)
        except Undecodable:
            self.undecodable += 1
        else:
            self.events.setdefault(event.edition_id, []).append(event)


class EditionEvents:
    """The events of an edition, without events of any operator but the edition's.

    Attributes:
        last_offsets: as in the `TopicLog`.
        operator_id: the given operator, else that of the first snapshot of the edition, else that of the first event.
        refused: the number of events that were left out.
    """

    def __init__(
        self,
        events: Iterable[Event],
        last_offsets: Mapping[str, int] = MappingProxyType({}),
        operator_id: str | None = None,
    ) -> None:
        self.last_offsets = last_offsets
        received = list(events)
        self.operator_id = operator_id or _operator_of(received)
        self._events = [event for event in received if event.operator_id == self.operator_id]
        self.refused = len(received) - len(self._events)
        newest: dict[tuple[str, str], Event] = {}
        for event in self._events:
            thing = (topic_of(event).name, event.thing)
            known = newest.get(thing)
            if known is None or event.revision > known.revision:
                newest.pop(thing, None)
                newest[thing] = event
        self._newest = newest

    def newest(self, kind: type[E]) -> list[E]:
        """Return the newest events of a kind, one for every thing, in the order of publication.

        A thing whose newest event is of another kind is left out: an erased participant has no newest snapshot.
        """
        return [event for event in self._newest.values() if isinstance(event, kind)]

    def every(self, kind: type[E]) -> list[E]:
        """Return all events of a kind, in the order of publication.

        On a compacted topic, events that are not the newest of their thing may be missing.
        """
        return [event for event in self._events if isinstance(event, kind)]


def _operator_of(events: Sequence[Event]) -> str | None:
    snapshots = [event for event in events if isinstance(event, EditionChanged)]
    return next((event.operator_id for event in snapshots or events), None)


async def read(
    settings: ConnectionSettings,
    topics: Sequence[Topic],
    edition_id: str | None = None,
    committed_by: str | None = None,
) -> TopicLog:
    """Read topics from their beginnings.

    Args:
        settings: the broker to read from.
        topics: the topics to read.
        edition_id: return the events of this edition only; of all editions if it is None.
        committed_by: a consumer group. Reading stops at the offsets that it has committed, else at the ends.

    Raises:
        LogUnreadable: a topic is missing, or the broker stopped answering.
        KafkaError: the broker cannot be reached.
    """
    log = TopicLog()
    consumer = AIOKafkaConsumer(
        **client_options(settings),
        group_id=committed_by,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=_FETCH_WAIT_MS,
    )
    try:
        partitions = await _partitions(settings, topics)
        await consumer.start()
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        ends = await end_offsets(consumer, partitions)
        if committed_by is not None:
            ends = await _committed(consumer, ends, log)
        async for record in records(consumer, ends):
            log.add(record, edition_id)
    finally:
        await consumer.stop()
    return log


async def end_offsets(consumer: AIOKafkaConsumer, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
    """Return the offset of the next record of every partition.

    The offsets are the high watermarks of the consumer's first fetches. `AIOKafkaConsumer.end_offsets` is not used:
    Tansu 0.6 answers it with an offset inside the last batch of records, so the records after it would be missed.

    Args:
        consumer: a started consumer, to which these partitions have just been assigned.
        partitions: the partitions to look at.

    Raises:
        LogUnreadable: the broker did not answer for a partition.
    """
    missing = set(partitions)  # until their first fetch is answered
    try:
        async with asyncio.timeout(_SILENCE_SECONDS):
            while missing:
                await asyncio.sleep(_CHECK_EVERY_SECONDS)
                missing = {partition for partition in missing if consumer.highwater(partition) is None}
    except TimeoutError:
        topics = ", ".join(sorted({partition.topic for partition in missing}))
        raise LogUnreadable(
            f"{topics}: the broker did not say within {_SILENCE_SECONDS:.0f} s where the topic ends; "
            "see `tertulia topics diff`"
        ) from None
    return {partition: consumer.highwater(partition) for partition in partitions}


async def records(consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]) -> AsyncIterator[ConsumerRecord]:
    """Yield records from the consumer's positions to the given end offsets, partition by partition.

    Raises:
        LogUnreadable: the broker stopped answering.
    """
    for partition, end in ends.items():
        # Position, not the last record's offset: compaction leaves gaps at the end.
        while (position := await consumer.position(partition)) < end:
            batches = await consumer.getmany(partition, timeout_ms=int(_SILENCE_SECONDS * 1000))
            for batch in batches.values():
                for record in batch:
                    if record.offset < end:
                        yield record
            if await consumer.position(partition) == position:
                raise LogUnreadable(
                    f"{partition.topic}/{partition.partition}: the broker sends no record after offset {position}, "
                    f"although the partition ends at {end}; see whether the broker is up, then try again"
                )


async def _partitions(settings: ConnectionSettings, topics: Sequence[Topic]) -> list[TopicPartition]:
    """Return the partitions that the topics have on the broker, however many were declared."""
    admin = AIOKafkaAdminClient(**client_options(settings))
    try:
        await admin.start()
        existing = set(await admin.list_topics())
        missing = [topic.name for topic in topics if topic.name not in existing]
        if missing:
            raise LogUnreadable(f"the broker has no topic {', '.join(missing)}: see `tertulia topics diff`")
        described = await admin.describe_topics([topic.name for topic in topics])
    finally:
        await admin.close()
    return sorted(
        TopicPartition(topic["topic"], partition["partition"])
        for topic in described
        for partition in topic["partitions"]
    )


async def _committed(
    consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int], log: TopicLog
) -> dict[TopicPartition, int]:
    """Return the offsets that the consumer's group has committed, but no offset after the end of its partition."""
    committed_ends: dict[TopicPartition, int] = {}
    for partition, end in ends.items():
        committed = await consumer.committed(partition)
        if committed is None and end:
            log.uncommitted.add(partition.topic)
        committed_ends[partition] = end if committed is None else min(end, committed)
    return committed_ends
