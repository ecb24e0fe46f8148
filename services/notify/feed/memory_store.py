"""The documents of feeds, in the memory of a process."""

from __future__ import annotations

from services.notify.domain.delivery import delivery_key
from services.notify.feed.document import FeedDocument
from services.notify.ports import Overtaken


class InMemoryFeeds:
    """Keeps documents until the process ends: implements `services.notify.feed.service.Feeds`."""

    def __init__(self) -> None:
        self._feeds: dict[str, FeedDocument] = {}

    async def find(self, edition_id: str, participant_id: str) -> FeedDocument:
        """Return a feed's document; the empty document if the feed was never fetched."""
        return self._feeds.get(delivery_key(edition_id, participant_id), FeedDocument())

    async def save(self, edition_id: str, participant_id: str, feed: FeedDocument) -> FeedDocument:
        """Write a document and return it as written, or raise `Overtaken`."""
        key = delivery_key(edition_id, participant_id)
        if self._feeds.get(key, FeedDocument()).edit != feed.edit:
            raise Overtaken(key)
        self._feeds[key] = feed.model_copy(update={"edit": feed.edit + 1})
        return self._feeds[key]
