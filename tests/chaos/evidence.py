"""Evidence for the audit: the history of the load, and the contents of all servers once the run is quiet."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from pydantic import SecretStr

from demo.client import RegistrationClient
from demo.mails import Mail, read_mails
from demo.plan import Payload
from services.matching.settings import Settings as MatchingSettings
from services.notify.settings import Settings as NotifySettings
from services.notify.store import COLLECTION as DELIVERIES
from services.registration.settings import Settings as RegistrationSettings
from services.registration.store import KINDS, collection_of
from services.scheduler.settings import Settings as SchedulerSettings
from shared.contract.cloudevents import Undecodable, decode
from shared.contract.events import Event
from shared.contract.topics import TOPICS
from shared.messaging import topic_log
from shared.messaging.dead_letter_admin import letters
from shared.runtime.settings import ConnectionSettings, ServiceSettings
from shared.storage.journal_entry import Entry
from shared.storage.journal_store import MongoJournalStore
from shared.storage.mongo import Mongo, MongoDatabase
from tests.chaos.history import IDS, History
from tests.chaos.poison import Planted, mark_of
from tests.chaos.stack import PARTITIONS

_PAGE = 500
_ALL_SETTINGS: tuple[type[ServiceSettings], ...] = (
    RegistrationSettings,
    MatchingSettings,
    SchedulerSettings,
    NotifySettings,
)


#: Events of one thing: their type and their key. A participant, the agenda and its mails share a key.
Stream = tuple[str, str]


def stream_of(event: Event) -> Stream:
    """Return the stream of an event."""
    return event.TYPE, event.key


@dataclass(frozen=True)
class Seen:
    """A record of a topic, with its event if it can be decoded. `mark` is the number of planted poison."""

    topic: str
    partition: int
    offset: int
    event: Event | None
    mark: int | None = None


@dataclass(frozen=True)
class LetterSeen:
    """A dead letter: the number of the planted poison in it, if any, and the group that dead-lettered it."""

    letter_id: str
    mark: int | None
    consumer: str


@dataclass
class RunEvidence:
    """Contents of all servers. `api` is by kind and id, `journals` the scheduler's by edition, `unsent` by outbox."""

    history: History
    seen: Sequence[Seen] = ()
    api: Mapping[tuple[str, str], Payload] = field(default_factory=dict)
    journals: Mapping[str, Sequence[Entry]] = field(default_factory=dict)
    mails: Sequence[Mail] = ()
    letters: Sequence[LetterSeen] = ()
    planted: Sequence[Planted] = ()
    unsent: Mapping[str, int] = field(default_factory=dict)

    @property
    def events(self) -> list[Event]:
        """Events of all records that are not planted, in the order of their partition."""
        return [record.event for record in self.seen if record.event is not None and record.mark is None]

    def newest(self) -> dict[Stream, Event]:
        """Return the newest revision of every stream."""
        newest: dict[Stream, Event] = {}
        for event in self.events:
            known = newest.get(stream_of(event))
            if known is None or known.revision < event.revision:
                newest[stream_of(event)] = event
        return newest


class Databases:
    """Databases of all services, without the proxies between."""

    def __init__(self, url: str) -> None:
        self._settings = [make(mongo_url=SecretStr(url)) for make in _ALL_SETTINGS]
        self._mongo = Mongo(self._settings[0])

    def of(self, service: str) -> MongoDatabase:
        """Return the database of a service."""
        return self._mongo.database(next(made.database for made in self._settings if made.service == service))

    async def unsent(self) -> dict[str, int]:
        """Count the documents with unsent messages, by `service.collection`; collections without any are left out."""
        outboxes = [("registration", collection_of(kind)) for kind in KINDS] + [("notify", DELIVERIES)]
        waiting = {
            f"{service}.{name}": await self.of(service)[name].count_documents({"outbox.0": {"$exists": True}})
            for service, name in outboxes
        }
        for service in ("matching", "scheduler", "notify"):
            waiting[f"{service}.journal"] = await self.of(service)["journal"].count_documents({"published": False})
        return {name: count for name, count in waiting.items() if count}

    def journal(self, service: str) -> MongoJournalStore:
        """Return the journals of a service."""
        return MongoJournalStore(self.of(service))

    async def close(self) -> None:
        await self._mongo.close()


async def gather(
    history: History,
    planted: Sequence[Planted],
    kafka: str,
    databases: Databases,
    client: RegistrationClient,
    mails: Path,
) -> RunEvidence:
    """Read the contents of all servers, without the proxies except for the HTTP API."""
    editions = [edition.thing_id for edition in history.of("editions")]
    journal = databases.journal("scheduler")
    return RunEvidence(
        history=history,
        seen=await read_topics(kafka),
        api=await read_api(client, editions),
        journals={edition: await journal.entries(edition, after=0) for edition in editions},
        mails=await asyncio.to_thread(read_mails, mails),
        letters=[
            LetterSeen(letter.letter_id, _mark(letter.headers), letter.origin.consumer)
            for letter in await letters(ConnectionSettings(kafka_bootstrap=kafka))
        ],
        planted=planted,
        unsent=await databases.unsent(),
    )


def _mark(headers: Mapping[str, str]) -> int | None:
    return mark_of([(name, value.encode()) for name, value in headers.items()])


class Unread(Exception):
    """A topic could not be read whole, so the audit cannot judge it."""


async def read_topics(kafka: str) -> list[Seen]:
    """Read all records of all topics from offset 0, with a plain consumer.

    Raises:
        Unread: records are missing between a partition's beginning and its end.
        LogUnreadable: a broker stopped answering.
    """
    # With "latest", a consumer may finish its seek to the end after it is told to seek the beginning.
    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka.split(","), enable_auto_commit=False, auto_offset_reset="earliest"
    )
    places = [TopicPartition(topic.name, partition) for topic in TOPICS for partition in range(PARTITIONS)]
    await consumer.start()
    try:
        consumer.assign(places)
        ends = await topic_log.end_offsets(consumer, places)
        seen = [_seen(record) async for record in topic_log.records(consumer, ends)]
    finally:
        await consumer.stop()
    must_be_whole(seen, {(place.topic, place.partition): end for place, end in ends.items()})
    return seen


def must_be_whole(seen: Sequence[Seen], ends: Mapping[tuple[str, int], int]) -> None:
    """Raise `Unread` unless all offsets of all partitions were read: in so short a run nothing is compacted."""
    for (topic, partition), end in ends.items():
        offsets = [record.offset for record in seen if (record.topic, record.partition) == (topic, partition)]
        if offsets != list(range(end)):
            raise Unread(f"{topic}/{partition} has {end} records, and {len(offsets)} were read")


def _seen(record: ConsumerRecord) -> Seen:
    mark = mark_of(record.headers)
    try:
        event = decode(record.headers, record.value)
    except Undecodable:
        event = None
    if event is not None and record.key != event.key.encode():
        event = None
    return Seen(record.topic, record.partition, record.offset, event, mark)


async def read_api(client: RegistrationClient, editions: Sequence[str]) -> dict[tuple[str, str], Payload]:
    """Read all things from registration's HTTP API, by kind and id."""
    found: dict[tuple[str, str], Payload] = {}
    collections = [("editions", "/editions")]
    collections += [(kind, f"/editions/{edition}/{kind}") for edition in editions for kind in IDS if kind != "editions"]
    for kind, path in collections:
        after = ""
        while things := (await client.get(f"{path}?limit={_PAGE}{after}"))["items"]:
            found |= {(kind, thing[IDS[kind]]): thing for thing in things}
            after = f"&after={things[-1][IDS[kind]]}"
    return found
