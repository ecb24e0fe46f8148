"""Topics read as a log, outside of any group: what has been said of an edition, for tools."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeVar

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from shared.contract.cloudevents import Undecodable, event_in
from shared.contract.events import Event
from shared.contract.topics import Topic
from shared.messaging.broker import client_options
from shared.runtime.settings import ConnectionSettings

E = TypeVar("E", bound=Event)
#: A broker that gives nothing for this long, though there is more, is away.
_SILENCE_MS = 15_000
#: How long the broker may keep an empty fetch: most of the partitions read have nothing more to give.
_FETCH_WAIT_MS = 50


class LogUnreadable(Exception):
    """A topic is not there, or the broker stopped answering; the message says which."""


@dataclass
class TopicLog:
    """The events of topics, in the order of their partitions.

    Attributes:
        events: by edition.
        read: `"<topic>/<partition>"` to the offset of the last record read.
        undecodable: the records that are no events of the contract.
        unbounded: the topics of which a group has committed nothing, and which were read to their ends instead.
    """

    events: dict[str, list[Event]] = field(default_factory=dict)
    read: dict[str, int] = field(default_factory=dict)
    undecodable: int = 0
    unbounded: set[str] = field(default_factory=set)

    def of(self, edition_id: str) -> EditionEvents:
        """What was said of one edition."""
        return EditionEvents(self.events.get(edition_id, ()), self.read)


class EditionEvents:
    """What was said of one edition: the newest of each thing, and all there is on the topics; `read`: see `TopicLog`."""

    def __init__(self, events: Iterable[Event], read: Mapping[str, int] = MappingProxyType({})) -> None:
        self.read = read
        self._events = list(events)
        newest: dict[tuple[type[Event], str], Event] = {}
        for event in self._events:
            place = (type(event), event.thing_id)
            known = newest.get(place)
            if known is None or event.revision > known.revision:
                newest.pop(place, None)
                newest[place] = event
        self._newest = newest

    def newest(self, kind: type[E]) -> list[E]:
        """The newest of each thing of a kind, in the order in which they were said."""
        return [event for event in self._newest.values() if isinstance(event, kind)]

    def every(self, kind: type[E]) -> list[E]:
        """All of a kind, in the order in which they were said; compaction may have taken out what is not the newest."""
        return [event for event in self._events if isinstance(event, kind)]


async def read(
    settings: ConnectionSettings, topics: Sequence[Topic], edition_id: str | None = None, as_far_as: str | None = None
) -> TopicLog:
    """The topics from their beginnings: to their ends, or only as far as the group `as_far_as` has committed.

    Raises:
        LogUnreadable: a topic is not there, or the broker stopped answering.
        KafkaError: the broker cannot be reached.
    """
    log = TopicLog()
    consumer = AIOKafkaConsumer(
        **client_options(settings),
        group_id=as_far_as,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=_FETCH_WAIT_MS,
    )
    try:
        places = await _places(settings, topics)
        await consumer.start()
        consumer.assign(places)
        ends = await _ends(consumer, places, as_far_as, log)
        await consumer.seek_to_beginning(*places)
        async for record in records(consumer, {place: ends[place] for place in places}):
            _take(record, edition_id, log)
    finally:
        await consumer.stop()
    return log


async def _places(settings: ConnectionSettings, topics: Sequence[Topic]) -> list[TopicPartition]:
    """Every partition there is, however many were declared."""
    admin = AIOKafkaAdminClient(**client_options(settings))
    try:
        await admin.start()
        there = set(await admin.list_topics())
        missing = [topic.name for topic in topics if topic.name not in there]
        if missing:
            raise LogUnreadable(f"the broker has no topic {', '.join(missing)}: see `tertulia topics diff`")
        described = await admin.describe_topics([topic.name for topic in topics])
    finally:
        await admin.close()
    return sorted(
        TopicPartition(topic["topic"], one["partition"]) for topic in described for one in topic["partitions"]
    )


async def _ends(
    consumer: AIOKafkaConsumer, places: Sequence[TopicPartition], group: str | None, log: TopicLog
) -> dict[TopicPartition, int]:
    ends: dict[TopicPartition, int] = await consumer.end_offsets(places)
    if group is None:
        return ends
    for place in places:
        committed = await consumer.committed(place)
        if committed is None and ends[place]:
            log.unbounded.add(place.topic)
        ends[place] = min(ends[place], ends[place] if committed is None else committed)
    return ends


async def records(consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]) -> AsyncIterator[ConsumerRecord]:
    """The records of partitions from where the consumer stands to these ends, one partition after the other.

    Raises:
        LogUnreadable: the broker stopped answering.
    """
    for place, end in ends.items():
        # Position, not the last record's offset: compaction leaves gaps at the end.
        while (at := await consumer.position(place)) < end:
            for batch in (await consumer.getmany(place, timeout_ms=_SILENCE_MS)).values():
                for record in batch:
                    if record.offset < end:
                        yield record
            if await consumer.position(place) == at:
                raise LogUnreadable(
                    f"{place.topic}/{place.partition}: nothing comes after offset {at}, and it ends at {end}"
                )


def _take(record: ConsumerRecord, edition_id: str | None, log: TopicLog) -> None:
    log.read[f"{record.topic}/{record.partition}"] = record.offset
    if edition_id is not None and not (record.key or b"").startswith(f"{edition_id}/".encode()):
        return
    try:
        event = event_in(record)
    except Undecodable:
        log.undecodable += 1
    else:
        log.events.setdefault(event.edition_id, []).append(event)
