"""Rebuild the portal's read model from the topics. It holds nothing else, so the result is whole."""

from __future__ import annotations

from services.portal.ports import Head, thing_key
from services.portal.settings import Settings
from services.portal.store import MongoThings
from shared.contract.events import Event
from shared.contract.topics import Topic, topics_of
from shared.messaging.topic_log import EditionEvents
from shared.runtime.settings import read_settings
from shared.storage.mongo import MongoDatabase
from shared.storage.rebuild import CannotRebuild, Rebuilt, View

_WRITTEN_AT_ONCE = 500


class PortalRebuilder:
    """The portal's part in `tertulia rebuild`: implements `shared.storage.rebuild.Rebuilder`."""

    consumed = topics_of("portal")
    published: tuple[Topic, ...] = ()

    def __init__(self) -> None:
        self.settings: Settings = read_settings(Settings)

    async def write(
        self, database: MongoDatabase, edition_id: str, consumed: EditionEvents, published: EditionEvents
    ) -> Rebuilt:
        """Write the newest snapshots of an edition into an empty database."""
        del published
        if consumed.operator_id is None:
            raise CannotRebuild(f"no event of {edition_id} names an operator")
        store, things = MongoThings(database), consumed.newest(Event)
        await store.prepare()
        head = Head(0, consumed.operator_id, is_edition_known=True)
        for start in range(0, len(things), _WRITTEN_AT_ONCE):
            head = await store.upsert(edition_id, head, things[start : start + _WRITTEN_AT_ONCE])
        return Rebuilt(things=len(things))

    async def view(self, database: MongoDatabase, edition_id: str) -> View:
        """Return all snapshots of an edition."""
        found = await MongoThings(database).newer(edition_id, 0)
        return {"things": {thing_key(event): event.to_json() for event in found}} if found else {}
