"""Planted poison: records that no service can ever process, marked to be recognised later."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count

import orjson
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from shared.contract.cloudevents import Headers, Record, encode
from shared.contract.events import OrganisationChanged, OrganisationKind
from shared.contract.ids import new_id
from shared.contract.topics import TOPICS, group_of
from shared.messaging.broker import MAX_RECORD_BYTES, partition_of

#: Readers of each topic. A topic without readers cannot be poisoned.
READERS = {topic.name: topic.consumers for topic in TOPICS if topic.consumers}
MARK = "chaos-poison"
#: A header of many bytes, and a body as large as a topic takes.
_LONG_HEADER, _LONGEST_BODY = 200_000, MAX_RECORD_BYTES - 2_000

Spoil = Callable[[Record], Record]


@dataclass(frozen=True)
class Planted:
    """A planted record. All readers of its topic must dead-letter it."""

    number: int
    kind: str
    topic: str

    @property
    def letters(self) -> set[tuple[int, str]]:
        """Expected dead letters, as the record's number and the reader's group."""
        return {(self.number, group_of(reader)) for reader in READERS[self.topic]}


def _with(
    record: Record, headers: Headers | None = None, value: bytes | None = None, key: bytes | None = None
) -> Record:
    return Record(
        topic=record.topic,
        key=record.key if key is None else key,
        headers=record.headers if headers is None else headers,
        value=record.value if value is None else value,
    )


def _header(record: Record, name: str, value: bytes) -> Headers:
    return [(header, value if header == name else kept) for header, kept in record.headers]


#: Functions that make a valid record impossible to process.
SPOILS: dict[str, Spoil] = {
    "bad JSON": lambda record: _with(record, value=record.value[:-5]),
    "not UTF-8": lambda record: _with(record, value=b"\xff\xfe\x00" + record.value),
    "no body": lambda record: _with(record, value=b""),
    "a field missing": lambda record: _with(record, value=orjson.dumps({**orjson.loads(record.value), "name": None})),
    "unknown type": lambda record: _with(record, _header(record, "ce_type", b"org.tertulia.unheard-of.v1")),
    "unknown version": lambda record: _with(
        record, _header(record, "ce_type", b"org.tertulia.organisation.changed.v2")
    ),
    "a header that is no text": lambda record: _with(record, _header(record, "ce_type", b"\xff\xfe")),
    "no headers": lambda record: _with(record, []),
    "a header too long": lambda record: _with(record, _header(record, "ce_type", b"x" * _LONG_HEADER)),
    "a body as long as may be": lambda record: _with(record, value=b"[" * _LONGEST_BODY),
    "another's key": lambda record: _with(record, key=record.key + b"0"),
    "a key that is no text": lambda record: _with(record, key=record.key.partition(b"/")[0] + b"/\xff"),
}


@dataclass
class Poisoner:
    """Plants poison of all kinds in all topics with readers, without the proxies."""

    bootstrap: str
    edition_ids: Callable[[], list[str]]
    planted: list[Planted] = field(default_factory=list)
    _numbers: count[int] = field(default_factory=count)

    async def run(self, seconds: float, every: float, most: int) -> None:
        """Plant a record every `every` seconds for so many seconds, `most` in all."""
        producer = AIOKafkaProducer(
            bootstrap_servers=self.bootstrap.split(","),
            acks="all",
            enable_idempotence=True,
            partitioner=partition_of,
            max_request_size=MAX_RECORD_BYTES,
        )
        await producer.start()
        try:
            for turn in range(min(most, int(seconds / every))):
                await asyncio.sleep(every)
                if editions := self.edition_ids():
                    await self._plant(producer, turn, editions[turn % len(editions)])
        finally:
            await producer.stop()

    async def _plant(self, producer: AIOKafkaProducer, turn: int, edition_id: str) -> None:
        kind = list(SPOILS)[turn % len(SPOILS)]
        # All kinds in one topic, then all kinds in the next: registration's topic is the first, with most readers.
        topic = list(READERS)[turn // len(SPOILS) % len(READERS)]
        planted = Planted(next(self._numbers), kind, topic)
        record = SPOILS[kind](right_record(edition_id))
        headers = [*record.headers, (MARK, str(planted.number).encode())]
        while True:
            try:
                await producer.send_and_wait(topic, value=record.value or None, key=record.key, headers=headers)
            except KafkaError:  # a broker is away; the record may be there all the same, and then twice
                await asyncio.sleep(1)
            else:
                self.planted.append(planted)
                return


def right_record(edition_id: str) -> Record:
    """Return a valid record of the registration topic."""
    organisation = OrganisationChanged(
        operator_id="chaos",
        edition_id=edition_id,
        revision=1,
        occurred_at=datetime.now(UTC),
        organisation_id=new_id("org"),
        name="Poison S.L.",
        kind=OrganisationKind.SME,
        country="ES",
    )
    return encode(organisation)


def mark_of(headers: Headers) -> int | None:
    """Return the number of a planted record, or None for a record of a service."""
    return next((int(value) for name, value in headers if name == MARK), None)
