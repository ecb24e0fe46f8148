"""The live stream of an edition, for open pages."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from fastapi import APIRouter, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from services.portal.pages.context import NotSignedIn, context_of, person_of, picture_for, staff_of
from services.portal.stream import StreamsFull
from services.portal.visitors import Visitor

router = APIRouter()
_LONGEST_NUMBER = 18


@router.get("/live/{edition_id}")
async def follow(request: Request, edition_id: str) -> Response:
    """Tell the page of changes of its edition, without data: the page fetches itself again."""
    await picture_for(request, await _anyone(request), edition_id)
    stream = context_of(request).nudges.stream(edition_id, _last_seen(request))
    try:
        first = await anext(stream)
    except StreamsFull as error:
        return PlainTextResponse(str(error), 503, {"retry-after": "10"})
    return StreamingResponse(
        _from(first, stream), media_type="text/event-stream", headers={"cache-control": "no-store"}
    )


async def _from(first: str, rest: AsyncIterator[str]) -> AsyncIterator[str]:
    yield first
    async for text in rest:
        yield text


async def _anyone(request: Request) -> Visitor:
    with contextlib.suppress(NotSignedIn):
        return await person_of(request)
    return await staff_of(request)


def _last_seen(request: Request) -> int | None:
    """Return the number of the head that the page shows: of its last event, else as the page says."""
    text = request.headers.get("last-event-id") or request.query_params.get("seen", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER else None
