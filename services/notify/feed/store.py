"""The documents of feeds, in MongoDB."""

from __future__ import annotations

from services.notify.domain.delivery import delivery_key
from services.notify.feed.document import FeedDocument
from services.notify.ports import Overtaken
from shared.storage.mongo import DuplicateKeyError, MongoDatabase

#: Collection of the feeds' documents. `_id` is `<edition>/<participant>`.
FEEDS = "feeds"


class MongoFeeds:
    """Reads and writes the documents of feeds: implements `services.notify.feed.service.Feeds`."""

    def __init__(self, database: MongoDatabase) -> None:
        self._documents = database[FEEDS]

    async def find(self, edition_id: str, participant_id: str) -> FeedDocument:
        """Return a feed's document; the empty document if the feed was never fetched."""
        document = await self._documents.find_one({"_id": delivery_key(edition_id, participant_id)})
        return FeedDocument.model_validate_json(document["feed"]) if document else FeedDocument()

    async def save(self, edition_id: str, participant_id: str, feed: FeedDocument) -> FeedDocument:
        """Write a document and return it as written.

        Raises:
            Overtaken: another process has written the document since it was read.
        """
        key = delivery_key(edition_id, participant_id)
        written = feed.model_copy(update={"edit": feed.edit + 1})
        fields = {"feed": written.model_dump_json(), "edition_id": edition_id, "edit": written.edit}
        if feed.edit == 0:
            try:
                await self._documents.insert_one({"_id": key, **fields})
            except DuplicateKeyError as error:
                raise Overtaken(key) from error
            return written
        outcome = await self._documents.update_one({"_id": key, "edit": feed.edit}, {"$set": fields})
        if not outcome.matched_count:
            raise Overtaken(key)
        return written
