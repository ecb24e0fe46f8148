"""Rebuild the change feeds from the topics: the newest events of all things, in feeds of a new epoch.

Readers with an older cursor are told so, and begin with a snapshot.
"""

from __future__ import annotations

from dataclasses import replace

from services.events.domain.public_part import FED
from services.events.item import item_of
from services.events.ports import FeedHead
from services.events.settings import Settings
from services.events.store import MongoFeed, new_epoch
from shared.contract.events import Event
from shared.contract.topics import Topic, topics_of
from shared.messaging.topic_log import EditionEvents
from shared.runtime.settings import read_settings
from shared.storage.mongo import MongoDatabase
from shared.storage.rebuild import CannotRebuild, Rebuilt, View

_WRITTEN_AT_ONCE = 500


class EventsRebuilder:
    """The part of the events service in `tertulia rebuild`: implements `shared.storage.rebuild.Rebuilder`."""

    consumed = topics_of("events")
    published: tuple[Topic, ...] = ()

    def __init__(self) -> None:
        self.settings: Settings = read_settings(Settings)

    async def write(
        self, database: MongoDatabase, edition_id: str, consumed: EditionEvents, published: EditionEvents
    ) -> Rebuilt:
        """Write the feeds of an edition into an empty database."""
        del published
        if consumed.operator_id is None:
            raise CannotRebuild(f"no event of {edition_id} names an operator")
        store = MongoFeed(database)
        await store.prepare()
        head = FeedHead(new_epoch(), operator_id=consumed.operator_id, is_edition_known=True)
        head = await store.begin(edition_id, head)
        events = [event for event in consumed.newest(Event) if isinstance(event, FED)]
        items = [item for number, event in enumerate(events, start=1) if (item := item_of(event, number))]
        for start in range(0, len(items), _WRITTEN_AT_ONCE):
            part = items[start : start + _WRITTEN_AT_ONCE]
            await store.add(part)
            await store.place(consumed.operator_id, part)
        await store.raise_head(edition_id, replace(head, number=len(items)))
        return Rebuilt(things=len(items))

    async def view(self, database: MongoDatabase, edition_id: str) -> View:
        """Return the newest revision of every thing in the feed."""
        rows = await MongoFeed(database).index(edition_id, 0)
        return {"things": {row.thing: row.revision for row in rows}} if rows else {}
