"""The inputs of a service: decoded records, handed to its handler by edition."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from aiokafka import ConsumerRecord

from shared.contract import cloudevents
from shared.contract.events import Event
from shared.runtime import trace


@dataclass(frozen=True)
class Position:
    """The place of a record: topic, partition and offset."""

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
    """An event that no later attempt can process: it alone is dead-lettered."""

    def __init__(self, event: Event, reason: str) -> None:
        super().__init__(reason)
        self.event = event


#: Handles the inputs of one edition.
Handler = Callable[[str, Sequence[Input]], Awaitable[None]]
#: Whether an edition's records come to this process.
Owns = Callable[[str], bool]


def input_of(record: ConsumerRecord) -> Input:
    """Decode a record.

    Raises:
        Undecodable: the record is not an event of its topic.
    """
    return Input(
        event=cloudevents.event_in(record),
        position=Position(record.topic, record.partition, record.offset),
        traceparent=cloudevents.header(record.headers, trace.TRACEPARENT),
    )
