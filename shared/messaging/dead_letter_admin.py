"""What an SRE does with dead letters: `tertulia dlq list|show|replay|drop`."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition

from shared.contract.topics import DLQ_PARTITIONS, DLQ_SUFFIX, TOPICS
from shared.messaging import topic_log
from shared.messaging.broker import MAX_LETTER_BYTES, client_options, partition_of
from shared.messaging.dead_letters import DeadLetterOrigin, original_headers
from shared.runtime.settings import ConnectionSettings

_READ_SECONDS = 30.0


class UnknownLetter(Exception):
    """There is no dead letter of that id: it was replayed, dropped, or never was."""


@dataclass(frozen=True)
class DeadLetter:
    """A record that was set aside."""

    origin: DeadLetterOrigin
    headers: dict[str, str]
    value: bytes | None

    @property
    def letter_id(self) -> str:
        """What `show`, `replay` and `drop` are told."""
        return self.origin.letter_id


async def letters(settings: ConnectionSettings, topic: str | None = None) -> list[DeadLetter]:
    """The dead letters that wait, oldest first, of one topic or of all."""
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
    """One dead letter.

    Raises:
        UnknownLetter: there is none of that id.
    """
    for letter in await letters(settings):
        if letter.letter_id == letter_id:
            return letter
    raise UnknownLetter(f"no dead letter {letter_id!r}: `tertulia dlq list` names those that wait")


async def replay(settings: ConnectionSettings, letter: DeadLetter) -> None:
    """Send the record to its topic again, then take the letter out. A newer revision, if any, still wins."""
    async with _producer(settings) as producer:
        key = letter.origin.original_key
        headers = [(name, value.encode()) for name, value in letter.headers.items()]
        partition = letter.origin.partition if key is None else None
        await producer.send_and_wait(
            letter.origin.topic, value=letter.value, key=key, headers=headers, partition=partition
        )
        await _take_out(producer, letter)


async def drop(settings: ConnectionSettings, letter: DeadLetter) -> None:
    """Take the letter out: what it said is lost."""
    async with _producer(settings) as producer:
        await _take_out(producer, letter)


async def _take_out(producer: AIOKafkaProducer, letter: DeadLetter) -> None:
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
    """Every record of the topics from the beginning to where they end now."""
    consumer = AIOKafkaConsumer(**client_options(settings), enable_auto_commit=False, auto_offset_reset="earliest")
    await consumer.start()
    try:
        places = [TopicPartition(topic, partition) for topic in topics for partition in range(DLQ_PARTITIONS)]
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        await consumer.seek_to_beginning(*places)
        async with asyncio.timeout(_READ_SECONDS):
            return [record async for record in topic_log.records(consumer, ends)]
    finally:
        await consumer.stop()
