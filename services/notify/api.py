"""HTTP in: the feeds and pages of participants, by their signed links. A request changes nothing that people see."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from services.notify.feed.service import CalendarFeed, FeedAnswer, LinkEnded
from services.notify.rendering.addresses import PublicAddresses
from shared.contract.links import BadLink, LinkPurpose

#: A link is a secret: it stays out of caches, search engines and referrers.
_PRIVATE = {
    "cache-control": "private, no-cache",
    "referrer-policy": "no-referrer",
    "x-robots-tag": "noindex",
    "x-content-type-options": "nosniff",
}
_NO_SCRIPTS = {"content-security-policy": "default-src 'none'; style-src 'unsafe-inline'"}
_UNKNOWN = "There is no such calendar or page: copy the whole address from the newest mail.\n"
_ENDED = "This address has ended: the newest mail has the present one.\n"


def public_routes(feed: CalendarFeed, addresses: PublicAddresses) -> list[BaseRoute]:
    """Return the routes `/feeds/{link}/agenda.ics` and `/agendas/{link}`."""

    async def serve_feed(request: Request) -> Response:
        try:
            answer = await feed.answer(addresses.read(request.path_params["link"], LinkPurpose.FEED))
        except (BadLink, LinkEnded) as error:
            return _refused(error)
        headers = {
            "etag": answer.etag,
            "last-modified": format_datetime(_whole_second(answer.changed_at), usegmt=True),
            **_PRIVATE,
        }
        if is_unchanged(request, answer):
            return Response(status_code=304, headers=headers)
        headers["content-disposition"] = 'inline; filename="agenda.ics"'
        return Response(answer.body, media_type="text/calendar", headers=headers)

    async def serve_page(request: Request) -> Response:
        try:
            page = await feed.page(addresses.read(request.path_params["link"], LinkPurpose.PAGE))
        except (BadLink, LinkEnded) as error:
            return _refused(error)
        return HTMLResponse(page, headers=_PRIVATE | _NO_SCRIPTS)

    return [Route("/feeds/{link}/agenda.ics", serve_feed), Route("/agendas/{link}", serve_page)]


def is_unchanged(request: Request, answer: FeedAnswer) -> bool:
    """Return whether the client has this answer already (RFC 9110, 13.2.2): by ETag, else by date."""
    if tags := request.headers.get("if-none-match"):
        return tags.strip() == "*" or answer.etag in (tag.strip().removeprefix("W/") for tag in tags.split(","))
    try:
        since = parsedate_to_datetime(request.headers.get("if-modified-since", ""))
    except ValueError:
        return False
    return since.tzinfo is not None and _whole_second(answer.changed_at) <= since


def _refused(error: BadLink | LinkEnded) -> Response:
    """Answer a link that was never signed with 404, an ended link with 410: programs stop to fetch it."""
    is_ended = isinstance(error, LinkEnded)
    return PlainTextResponse(_ENDED if is_ended else _UNKNOWN, 410 if is_ended else 404, headers=_PRIVATE)


def _whole_second(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(microsecond=0)
