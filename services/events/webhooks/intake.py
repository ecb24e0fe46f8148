"""Intake: new items of the operator's feed become deliveries of an endpoint.

Deliveries are written before `read_to` moves. A process that ends in between leaves items that are read again, and
whose deliveries exist by then.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from services.events.domain.cursor import START, CursorGone, FeedCursor
from services.events.ports import FeedStore
from services.events.service import ChangeFeeds, FeedPage, FeedQuery
from services.events.webhooks.delivery import WebhookDelivery
from services.events.webhooks.endpoint import Endpoint
from services.events.webhooks.store import MongoDeliveries
from shared.runtime.clock import Clock
from shared.runtime.log import get_logger

_log = get_logger(__name__)
_PAGE = 200
#: Pages of a round, by operator, cursor and types.
Pages = dict[tuple[str, str, frozenset[str]], "asyncio.Future[FeedPage]"]


@dataclass(frozen=True)
class TakenIn:
    """The endpoint behind the items that were read, its new deliveries, and whether the feed goes on."""

    endpoint: Endpoint
    deliveries: list[WebhookDelivery]
    goes_on: bool


class Intake:
    """Reads the feeds of operators for their endpoints."""

    def __init__(self, feeds: ChangeFeeds, store: FeedStore, deliveries: MongoDeliveries, clock: Clock) -> None:
        self._feeds = feeds
        self._store = store
        self._deliveries = deliveries
        self._clock = clock

    async def end_of_feed(self, operator_id: str) -> str:
        """Return the cursor after the newest item of an operator's feed."""
        head = await self._store.operator_head(operator_id)
        return START if head is None else str(FeedCursor(head.epoch, head.number))

    async def take_in(self, endpoint: Endpoint, pages: Pages) -> TakenIn:
        """Write the deliveries of the next page of the feed. Endpoints at the same place share the page.

        A feed that was made anew is read from its start. Events that the endpoint has had keep their message ids.
        """
        key = (endpoint.operator_id, endpoint.read_to, frozenset(endpoint.types))
        if key not in pages:
            operator_id, after, types = key
            query = FeedQuery(after=after, limit=_PAGE, types=types)
            pages[key] = asyncio.ensure_future(self._feeds.read_operator(operator_id, query))
        try:
            page = await pages[key]
        except CursorGone:
            _log.warning("webhook_feed_anew", webhook=endpoint.webhook_id, operator=endpoint.operator_id)
            anew = endpoint.model_copy(update={"read_to": START, "generation": endpoint.generation + 1})
            return TakenIn(anew, [], goes_on=True)
        now = self._clock()
        wanted = [
            WebhookDelivery.of_item(endpoint, placed.item, _place_of(placed.cursor), now)
            for placed in page.items
            if endpoint.wants(placed.item)
        ]
        added = await self._deliveries.add(wanted)
        moved = endpoint.model_copy(update={"read_to": page.next})
        return TakenIn(moved, added, goes_on=page.next != endpoint.read_to)


def _place_of(cursor: str) -> int:
    """Return the number of an item in the feed of its operator."""
    return int(cursor.split(".")[1])
