"""CloudEvents 1.0 in Kafka's binary mode: attributes are `ce_*` headers, the body is the event as JSON.

See the CloudEvents Kafka protocol binding, section 3.2.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson
from aiokafka import ConsumerRecord
from pydantic import ValidationError

from shared.contract.events import Event
from shared.contract.topics import EVENT_TYPES, topic_of
from shared.runtime import trace

Headers = list[tuple[str, bytes]]


class Undecodable(Exception):
    """A record is not an event of the contract; the message gives the reason."""


class Forged(Undecodable):
    """An event is in a topic, under a key or with attributes that its writer would not have given it."""


@dataclass(frozen=True)
class Record:
    """A record as the broker gets it."""

    topic: str
    key: bytes
    headers: Headers
    value: bytes


def encode(event: Event, traceparent: str | None = None) -> Record:
    """Return the record of an event. `traceparent` continues the trace of the input that caused the event."""
    attributes = {
        "ce_specversion": "1.0",
        **_identity(event),
        "ce_time": _time_of(event),
        "content-type": "application/json",
        trace.TRACEPARENT: traceparent or trace.child(),
    }
    return Record(
        topic=topic_of(event).name,
        key=event.key.encode(),
        headers=[(name, value.encode()) for name, value in attributes.items()],
        value=orjson.dumps(event.to_json()),
    )


def decode(headers: Iterable[tuple[str, bytes]], value: bytes | None) -> Event:
    """Return the event of a record.

    Raises:
        Undecodable: the body is missing, is not JSON or breaks the schema of its type, or `ce_type` is unknown.
    """
    event_type = header(headers, "ce_type")
    model = EVENT_TYPES.get(event_type or "")
    if model is None:
        raise Undecodable(f"ce_type {event_type!r} is not one of {', '.join(EVENT_TYPES)}")
    if value is None:
        raise Undecodable("no body: tombstones are not part of the contract")
    try:
        return model.model_validate_json(value)
    except ValidationError as error:
        # `input` may hold personal data: the reason names the place and the rule only.
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "body"
        raise Undecodable(f"{event_type}: {place}: {first['msg']}") from None


def _time_of(event: Event) -> str:
    return event.occurred_at.isoformat().replace("+00:00", "Z")


def _identity(event: Event) -> dict[str, str]:
    """Return the attributes that an event has in every record of it: its writer, type and thing."""
    return {
        "ce_id": event.event_id,
        "ce_source": f"/tertulia/{topic_of(event).source}",
        "ce_type": event.TYPE,
        "ce_subject": event.key,
        "ce_partitionkey": event.edition_id,
    }


def structured(event: Event, data: dict[str, Any]) -> dict[str, Any]:
    """Return an event in CloudEvents' structured mode (JSON format, 3), with this part of it as data."""
    identity = {name.removeprefix("ce_"): value for name, value in _identity(event).items()}
    return {
        "specversion": "1.0",
        **identity,
        "time": _time_of(event),
        "datacontenttype": "application/json",
        "data": data,
    }


def event_in(record: ConsumerRecord) -> Event:
    """Return the event of a record, after a check that topic, key, attributes and body tell the same.

    The check finds records of a confused writer. It proves nothing about the writer: see the broker's access rules.

    Raises:
        Undecodable: see `decode`.
        Forged: the event belongs to another topic, the key to another event, or an attribute differs from the body.
    """
    event = decode(record.headers, record.value)
    if topic_of(event).name != record.topic:
        raise Forged(f"{event.TYPE} is not an event of {record.topic}")
    if record.key != event.key.encode():
        raise Forged(f"the record key differs from the key of its event, {event.key!r}")
    for name, expected in _identity(event).items():
        if [value for key, value in record.headers if key == name] != [expected.encode()]:
            raise Forged(f"the header {name} is not {expected!r}, or is there more than once")
    return event


def header(headers: Iterable[tuple[str, bytes]], name: str) -> str | None:
    """Return the first header with a name, else None. Bytes that are not UTF-8 are escaped."""
    for key, value in headers:
        if key == name and value is not None:
            return value.decode("utf-8", "backslashreplace")
    return None


def pack(event: Event) -> dict[str, Any]:
    """Return an event as a document of an outbox: type, revision, body as JSON text, and trace.

    The body is text because the database parses documents at each write, and need not parse the body (ADR 0025).
    """
    body = orjson.dumps(event.to_json()).decode()
    return {"type": event.TYPE, "revision": event.revision, "data": body, "traceparent": trace.child()}


def unpack(packed: dict[str, Any]) -> Record:
    """Return the record of an event from an outbox."""
    event = EVENT_TYPES[packed["type"]].model_validate_json(packed["data"])
    return encode(event, packed["traceparent"])
