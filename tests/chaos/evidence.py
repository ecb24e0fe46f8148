"""What the verifier is given: the history of the load, and everything there is once all is quiet."""

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
from shared.storage.journal import Entry
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


#: What is told of one thing: the type of its events, and their key. A participant, an agenda and its mails share a key.
Stream = tuple[str, str]


def stream_of(event: Event) -> Stream:
    """The stream an event belongs to."""
    return event.TYPE, event.key


@dataclass(frozen=True)
class Seen:
    """A record of a topic: its event, or None where it is none. `mark` is the number of planted poison."""

    topic: str
    partition: int
    offset: int
    event: Event | None
    mark: int | None = None


@dataclass(frozen=True)
class LetterSeen:
    """A dead letter: the number of the poison in it, None if nobody planted it, and who set it aside."""

    letter_id: str
    mark: int | None
    consumer: str


@dataclass
class Evidence:
    """Everything there is. `api` is by kind and id, `journals` the scheduler's by edition, `unsent` by outbox."""

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
        """The events of all records that nobody planted, in the order of each partition."""
        return [each.event for each in self.seen if each.event is not None and each.mark is None]

    def newest(self) -> dict[Stream, Event]:
        """The newest revision of each thing."""
        newest: dict[Stream, Event] = {}
        for event in self.events:
            known = newest.get(stream_of(event))
            if known is None or known.revision < event.revision:
                newest[stream_of(event)] = event
        return newest


class Databases:
    """The databases of all services, past the proxies."""

    def __init__(self, url: str) -> None:
        self._settings = [make(mongo_url=SecretStr(url)) for make in _ALL_SETTINGS]
        self._mongo = Mongo(self._settings[0])

    def of(self, service: str) -> MongoDatabase:
        """The database of a service."""
        return self._mongo.database(next(each.database for each in self._settings if each.service == service))

    async def unsent(self) -> dict[str, int]:
        """How many documents hold something unsent, by `service.collection`, where any do."""
        outboxes = [("registration", collection_of(kind)) for kind in KINDS] + [("notify", DELIVERIES)]
        waiting = {
            f"{service}.{name}": await self.of(service)[name].count_documents({"outbox.0": {"$exists": True}})
            for service, name in outboxes
        }
        for service in ("matching", "scheduler", "notify"):
            waiting[f"{service}.journal"] = await self.of(service)["journal"].count_documents({"published": False})
        return {name: count for name, count in waiting.items() if count}

    def journal(self, service: str) -> MongoJournalStore:
        """The journals of a service."""
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
) -> Evidence:
    """Look at everything there is, past the proxies but for the HTTP API."""
    editions = [each.thing_id for each in history.of("editions")]
    journal = databases.journal("scheduler")
    return Evidence(
        history=history,
        seen=await read_topics(kafka),
        api=await read_api(client, editions),
        journals={edition: await journal.entries(edition, after=0) for edition in editions},
        mails=await asyncio.to_thread(read_mails, mails),
        letters=[
            LetterSeen(each.letter_id, _mark(each.headers), each.origin.consumer)
            for each in await letters(ConnectionSettings(kafka_bootstrap=kafka))
        ],
        planted=planted,
        unsent=await databases.unsent(),
    )


def _mark(headers: Mapping[str, str]) -> int | None:
    return mark_of([(name, value.encode()) for name, value in headers.items()])


class Unread(Exception):
    """A topic could not be read whole: nothing can be said of it."""


async def read_topics(kafka: str) -> list[Seen]:
    """Every record of every topic from offset 0, with a plain consumer.

    Raises:
        Unread: records are missing between a partition's beginning and its end.
        LogUnreadable: a broker stopped answering.
    """
    # "earliest": a consumer that has begun to look for the end goes there, though told meanwhile to seek the beginning.
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
    """Raise `Unread` unless every offset of each partition was seen: in so short a run nothing is compacted."""
    for (topic, partition), end in ends.items():
        offsets = [each.offset for each in seen if (each.topic, each.partition) == (topic, partition)]
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
    """Every thing that registration's HTTP API tells of, by kind and id."""
    found: dict[tuple[str, str], Payload] = {}
    shelves = [("editions", "/editions")]
    shelves += [(kind, f"/editions/{edition}/{kind}") for edition in editions for kind in IDS if kind != "editions"]
    for kind, path in shelves:
        after = ""
        while things := (await client.get(f"{path}?limit={_PAGE}{after}"))["items"]:
            found |= {(kind, thing[IDS[kind]]): thing for thing in things}
            after = f"&after={things[-1][IDS[kind]]}"
    return found
