"""Events, handlers and readings for tests of the consumer on a real broker."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.contract.events import MatchRequestChanged
from shared.contract.topics import MATCH_REQUEST, group_of
from shared.messaging import dead_letter_admin as dlq_admin
from shared.messaging import topic_log
from shared.messaging.broker import partition_of
from shared.messaging.dead_letter_admin import DeadLetter
from shared.messaging.inputs import Input
from shared.runtime.health import Health
from shared.runtime.settings import PARTITIONS, ConnectionSettings
from tests.support.events import EventBuilder

#: Runs a consumer with a handler while the context is entered; yields its health.
RunConsumer = Callable[..., contextlib.AbstractAsyncContextManager[Health]]


@dataclass(frozen=True)
class BrokerAddress:
    """The address of a broker that speaks Kafka's protocol, and whether it takes idempotent producers."""

    bootstrap: str
    idempotence: bool


class CollectingHandler(list[str]):
    """A handler that collects the ids of the things it is given, in order."""

    async def __call__(self, _: str, inputs: Sequence[Input]) -> None:
        self.extend(received.event.thing_id for received in inputs)


class Progress(NamedTuple):
    """The offset that a group has committed on a partition, and the offset of the partition's next record."""

    committed: int
    end: int


def match_request(edition_id: str, request_id: str, revision: int = 1) -> MatchRequestChanged:
    """Return the event of a match request from one participant to another."""
    events = EventBuilder("op", edition_id, datetime(2026, 11, 26, tzinfo=UTC))
    return events.request(request_id, "prt_1", "prt_2", revision=revision)


def partition_number(edition_id: str) -> int:
    """Return the number of the partition that holds an edition's records."""
    return partition_of(f"{edition_id}/".encode(), range(PARTITIONS))


async def progress(connection: ConnectionSettings, edition_id: str) -> Progress:
    """Return the progress of the test's consumer on the partition of the edition's match requests."""
    partition = TopicPartition(MATCH_REQUEST.name, partition_number(edition_id))
    consumer = AIOKafkaConsumer(
        bootstrap_servers=connection.kafka_servers, group_id=group_of(edition_id), enable_auto_commit=False
    )
    await consumer.start()
    try:
        consumer.assign([partition])
        ends = await topic_log.end_offsets(consumer, [partition])
        return Progress(await consumer.committed(partition) or 0, ends[partition])
    finally:
        await consumer.stop()


async def dead_letters_of(connection: ConnectionSettings, edition_id: str, cause: str = "") -> list[DeadLetter]:
    """Return the dead letters of the test's consumer, with any cause or with one.

    Undecodable records that other tests have sent to the topic are among them.
    """
    letters = await dlq_admin.letters(connection, MATCH_REQUEST.name)
    return [
        letter
        for letter in letters
        if letter.origin.consumer == group_of(edition_id) and cause in {"", letter.origin.cause}
    ]
