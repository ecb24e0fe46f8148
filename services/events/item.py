"""Items of change feeds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from services.events.domain.public_part import public_part
from shared.contract.cloudevents import structured
from shared.contract.events import Event
from shared.contract.topics import topic_of


@dataclass(frozen=True)
class FeedItem:
    """An event in the change feed of its edition.

    `number` counts the items of the edition from 1, without gaps. `body` is the event as JSON: a CloudEvent in
    structured mode.
    """

    edition_id: str
    number: int
    operator_id: str
    type: str
    thing: str
    revision: int
    body: str


@dataclass(frozen=True)
class PlacedItem:
    """An item, and the cursor after it in the feed that is read."""

    item: FeedItem
    cursor: str

    def to_json(self) -> dict[str, Any]:
        """Return the item as its readers get it: the event, with its cursor."""
        return {"cursor": self.cursor, **orjson.loads(self.item.body)}


def thing_key(event: Event) -> str:
    """Return the key of an event's thing within its edition: `<topic>/<kind>/<id>`.

    A participant and the participant's agenda have the same kind and id, on two topics.
    """
    return f"{topic_of(event).name}/{event.thing}"


def item_of(event: Event, number: int) -> FeedItem | None:
    """Return the item of an event under a number; None for an event that feeds do not have."""
    data = public_part(event)
    if data is None:
        return None
    body = orjson.dumps(structured(event, data)).decode()
    return FeedItem(event.edition_id, number, event.operator_id, event.TYPE, thing_key(event), event.revision, body)
