"""Commands of an SRE on dead letters: `tertulia dlq list|show|replay|drop`."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition

from shared.contract.cloudevents import Record
from shared.contract.topics import DLQ_PARTITIONS, DLQ_SUFFIX, TOPICS, is_personal
from shared.messaging import topic_log
from shared.messaging.broker import MAX_LETTER_BYTES, client_options, partition_of
from shared.messaging.dead_letters import DeadLetterOrigin, original_headers
from shared.runtime.settings import ConnectionSettings

_READ_SECONDS = 30.0


class UnknownLetter(Exception):
    """No dead letter has this id: it was replayed or dropped, or the id is wrong."""


class UnknownThing(Exception):
    """The thing of a dead letter without a body does not exist."""


@dataclass(frozen=True)
class DeadLetter:
    """A record that was dead-lettered, with its origin."""

    origin: DeadLetterOrigin
    headers: dict[str, str]
    value: bytes | None

    @property
    def letter_id(self) -> str:
        """The id that `show`, `replay` and `drop` take."""
        return self.origin.letter_id


async def letters(settings: ConnectionSettings, topic: str | None = None) -> list[DeadLetter]:
    """Return the dead letters of a topic, or of all topics, oldest first."""
    names = [t.dlq for t in TOPICS if topic in {None, t.name, t.dlq}]
    found: dict[str, DeadLetter] = {}
    for record in await _read(settings, names):
        origin = DeadLetterOrigin.of(record)
        if record.value is None and origin is None:
            found.pop((record.key or b"").decode("utf-8", "backslashreplace"), None)
        elif origin is not None:
            found[origin.letter_id] = DeadLetter(origin, original_headers(record), record.value)
    return sorted(found.values(), key=lambda letter: letter.origin.at)


async def find(settings: ConnectionSettings, letter_id: str) -> DeadLetter:
    """Return a dead letter.

    Raises:
        UnknownLetter: no dead letter has this id.
    """
    for letter in await letters(settings):
        if letter.letter_id == letter_id:
            return letter
    raise UnknownLetter(f"no dead letter {letter_id!r}: `tertulia dlq list` names those that wait")


async def replay(settings: ConnectionSettings, letter: DeadLetter, anew: Record | None = None) -> None:
    """Send the record to its topic again, then remove the dead letter. A newer revision of the thing still wins.

    `anew` is the record of the thing as it is now. It is sent in the place of a record whose body is not kept.

    Raises:
        UnknownThing: the body of the letter is not kept, and there is no such thing.
    """
    async with _producer(settings) as producer:
        if is_personal(letter.origin.topic):
            if anew is None:
                raise UnknownThing(
                    f"{letter.letter_id} keeps no body, and registration has no {letter.origin.shown_key}: "
                    "remove it with `tertulia dlq drop`"
                )
            await producer.send_and_wait(anew.topic, value=anew.value, key=anew.key, headers=anew.headers)
            await _remove(producer, letter)
            return
        key = letter.origin.original_key
        headers = [(name, value.encode()) for name, value in letter.headers.items()]
        partition = letter.origin.partition if key is None else None
        await producer.send_and_wait(
            letter.origin.topic, value=letter.value, key=key, headers=headers, partition=partition
        )
        await _remove(producer, letter)


async def drop(settings: ConnectionSettings, letter: DeadLetter) -> None:
    """Remove the dead letter; its event is lost."""
    async with _producer(settings) as producer:
        await _remove(producer, letter)


async def _remove(producer: AIOKafkaProducer, letter: DeadLetter) -> None:
    await producer.send_and_wait(letter.origin.topic + DLQ_SUFFIX, value=None, key=letter.letter_id.encode())


@contextlib.asynccontextmanager
async def _producer(settings: ConnectionSettings) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(
        **client_options(settings),
        acks="all",
        enable_idempotence=settings.kafka_idempotence,
        partitioner=partition_of,
        max_request_size=MAX_LETTER_BYTES,
    )
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def _read(settings: ConnectionSettings, topics: list[str]) -> list[ConsumerRecord]:
    """Return every record that the topics hold now."""
    consumer = AIOKafkaConsumer(**client_options(settings), enable_auto_commit=False, auto_offset_reset="earliest")
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, partition) for topic in topics for partition in range(DLQ_PARTITIONS)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        ends = await topic_log.end_offsets(consumer, partitions)
        async with asyncio.timeout(_READ_SECONDS):
            return [record async for record in topic_log.records(consumer, ends)]
    finally:
        await consumer.stop()
