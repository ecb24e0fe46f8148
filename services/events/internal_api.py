"""HTTP in, for registration: pages of change feeds. Registration has checked the reader's rights."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from services.events.domain.cursor import BadCursor, CursorGone
from services.events.ports import edition_key, operator_key
from services.events.service import ChangeFeeds, FeedPage, FeedQuery
from services.events.watch import FeedWatch
from shared.internal_api.feeds import FeedReply, FeedRequest
from shared.internal_api.server import Declined, query_of

Read = Callable[[FeedQuery], Awaitable[FeedPage]]


def routes_of(feeds: ChangeFeeds, watch: FeedWatch) -> list[BaseRoute]:
    """Return the routes of the feeds, of an operator and of an edition."""

    async def serve_edition(request: Request) -> Response:
        operator_id, edition_id = request.path_params["operator_id"], request.path_params["edition_id"]

        async def read(query: FeedQuery) -> FeedPage:
            return await feeds.read_edition(operator_id, edition_id, query)

        return await _answer(request, read, edition_key(edition_id), watch)

    async def serve_operator(request: Request) -> Response:
        operator_id = request.path_params["operator_id"]

        async def read(query: FeedQuery) -> FeedPage:
            return await feeds.read_operator(operator_id, query)

        return await _answer(request, read, operator_key(operator_id), watch)

    return [
        Route("/operators/{operator_id}/events", serve_operator),
        Route("/operators/{operator_id}/editions/{edition_id}/events", serve_edition),
    ]


async def _answer(request: Request, read: Read, key: str, watch: FeedWatch) -> Response:
    asked = query_of(request, FeedRequest)
    query = FeedQuery(
        after=asked.after,
        limit=asked.limit,
        types=frozenset(filter(None, asked.types.split(","))),
        thing=asked.thing,
        from_revision=asked.from_revision,
        is_snapshot=asked.snapshot,
    )
    until = time.monotonic() + asked.wait
    try:
        page = await read(query)
        while not page.items and (left := until - time.monotonic()) > 0:
            await watch.grows(key, page.number, left)
            page = await read(replace(query, after=page.next, is_snapshot=False))
    except BadCursor as error:
        raise Declined(422, "invalid", str(error)) from error
    except CursorGone as error:
        raise Declined(410, "cursor-gone", str(error)) from error
    reply = FeedReply(items=[placed.to_json() for placed in page.items], next=page.next)
    return JSONResponse(reply.model_dump())
