"""The inputs of a service: decoded records, handed to its handler by edition."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from aiokafka import ConsumerRecord

from shared.contract import cloudevents
from shared.contract.events import EditionChanged, Event
from shared.contract.topics import topic_of
from shared.runtime import trace
from shared.runtime.metrics import REFUSED


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


class ForeignOperator(Poison):
    """An event names another operator than its edition's. It is raised before any change of a state."""


#: Handles the inputs of one edition.
Handler = Callable[[str, Sequence[Input]], Awaitable[None]]
#: Whether an edition's records come to this process.
Owns = Callable[[str], bool]


def input_of(record: ConsumerRecord) -> Input:
    """Decode a record.

    Raises:
        Undecodable: the record is not an event of its topic.
    """
    try:
        event = cloudevents.event_in(record)
    except cloudevents.Forged:
        REFUSED.labels(topic=record.topic, reason="contradiction").inc()
        raise
    return Input(
        event=event,
        position=Position(record.topic, record.partition, record.offset),
        traceparent=cloudevents.header(record.headers, trace.TRACEPARENT),
    )


def refuse_foreign(operator_id: str | None, events: Sequence[Event], *, is_edition_known: bool) -> None:
    """Check that events come from the operator of their edition, given the operator of the events before them.

    The edition's snapshot decides. Until it arrives, the operator of the first event counts: the snapshot may come
    after further events, because topics have no common order and compaction moves a newer snapshot behind them.

    Raises:
        ForeignOperator: an event names another operator.
    """
    for event in events:
        is_snapshot = isinstance(event, EditionChanged)
        if event.operator_id != operator_id and (is_edition_known or not is_snapshot) and operator_id is not None:
            REFUSED.labels(topic=topic_of(event).name, reason="operator").inc()
            raise ForeignOperator(
                event, f"the operator {event.operator_id} is not {operator_id}, the operator of {event.edition_id}"
            )
        operator_id, is_edition_known = event.operator_id, is_edition_known or is_snapshot
