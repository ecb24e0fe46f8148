"""AsyncAPI 3.0 documents for integrators, generated from the topic declarations.

FastStream generates a document from payloads only. Keys, CloudEvents headers, partitions and retention are half of
our contract, and would be missing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from pydantic.json_schema import models_json_schema

from shared.contract.events import Event
from shared.contract.json_schema import readable
from shared.contract.topics import TOPICS, Topic
from shared.runtime.settings import PARTITIONS

_HEADERS: dict[str, tuple[str, str]] = {
    "ce_specversion": ("The CloudEvents version.", "1.0"),
    "ce_id": ("Derived from the thing and its revision: a repeated record has the same id.", "evt_0b6c..."),
    "ce_source": ("The service that publishes the event.", "/tertulia/scheduler"),
    "ce_type": ("The kind of event, with its version.", "org.tertulia.agenda.changed.v1"),
    "ce_subject": ("The thing: the record key.", "edn_1/participant/prt_1"),
    "ce_time": ("When the change was made, RFC 3339, UTC.", "2026-11-26T08:15:00Z"),
    "ce_partitionkey": ("The edition: all its records share a partition.", "edn_1"),
    "content-type": ("The body's media type.", "application/json"),
    "traceparent": ("W3C Trace Context.", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
}


def document(*, public_only: bool) -> dict[str, Any]:
    """Return the document of all topics, or only of the public topics, on which integrations may rely."""
    topics = [topic for topic in TOPICS if topic.public or not public_only]
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Tertulia, public events" if public_only else "Tertulia, all events",
            "version": "1.0.0",
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {_name(topic.name): _channel(topic) for topic in topics},
        "operations": {
            f"{action}-{_name(topic.name)}": _operation(topic, action)
            for topic in topics
            for action in (("receive",) if public_only else ("send", "receive"))
        },
        "components": {
            "messages": {event.__name__: _message(event) for topic in topics for event in topic.events},
            "schemas": _schemas([event for topic in topics for event in topic.events]),
        },
    }


_DESCRIPTION = """\
CloudEvents 1.0 in Kafka's binary content mode. Every event is a whole snapshot of one thing at a revision: keep the \
newest revision of each key and ignore older ones, and duplicates and replays are harmless. All records of an edition \
share a partition. There is no order across topics. Within .v1 fields are only ever added: ignore the unknown."""


def _name(topic: str) -> str:
    return re.sub(r"\.v\d+$", "", topic)


def _channel(topic: Topic) -> dict[str, Any]:
    configuration: dict[str, Any] = {"cleanup.policy": ["compact"]}
    if topic.retention is not None:
        milliseconds = int(topic.retention.total_seconds()) * 1000
        configuration = {"cleanup.policy": ["delete"], "retention.ms": milliseconds}
    if topic.erased_within is not None:
        configuration["max.compaction.lag.ms"] = int(topic.erased_within.total_seconds()) * 1000
    return {
        "address": topic.name,
        "description": topic.summary,
        "messages": {e.__name__: {"$ref": f"#/components/messages/{e.__name__}"} for e in topic.events},
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": PARTITIONS,
                "topicConfiguration": configuration,
                "bindingVersion": "0.5.0",
            }
        },
    }


def _operation(topic: Topic, action: str) -> dict[str, Any]:
    name = _name(topic.name)
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{name}"},
        "summary": f"Sent by {topic.source}." if action == "send" else f"Subscribe to {topic.name}.",
        "messages": [{"$ref": f"#/channels/{name}/messages/{event.__name__}"} for event in topic.events],
    }


def _message(event: type[Event]) -> dict[str, Any]:
    thing = event.THING.removesuffix("_id")
    return {
        "name": event.TYPE,
        "title": event.__name__,
        "summary": (event.__doc__ or "").strip().splitlines()[0],
        "contentType": "application/json",
        "headers": {
            "type": "object",
            "required": sorted(_HEADERS),
            "properties": {
                name: {"type": "string", "description": text, "examples": [example]}
                | ({"const": event.TYPE} if name == "ce_type" else {})
                for name, (text, example) in _HEADERS.items()
            },
        },
        "payload": {"$ref": f"#/components/schemas/{event.__name__}"},
        "bindings": {
            "kafka": {
                "key": {"type": "string", "description": f"<edition_id>/{thing}/<{event.THING}>"},
                "bindingVersion": "0.5.0",
            }
        },
    }


def _schemas(events: Sequence[type[Event]]) -> dict[str, Any]:
    _, schemas = models_json_schema(
        [(event, "serialization") for event in events], ref_template="#/components/schemas/{model}"
    )
    definitions: dict[str, Any] = schemas["$defs"]
    readable({"components": {"schemas": definitions}})
    return definitions
