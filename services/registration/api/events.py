"""Endpoints of the change feeds: the events of an edition or of all editions, in order, with cursors."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import StreamingResponse

from services.registration.api.access import CurrentPrincipal, PathId
from services.registration.api.feeds import Feed, FeedFilter
from services.registration.api.rights import needs
from services.registration.domain.errors import FieldError, Invalid
from shared.access import Action
from shared.contract.topics import EVENT_TYPES
from shared.internal_api.feeds import MOST_ITEMS

router = APIRouter(tags=["events"])

#: Names of kinds of events, as `types` takes them beside the full types.
_KINDS: Final = {
    "edition": ("edition.changed",),
    "organisation": ("organisation.changed", "organisation.erased"),
    "participant": ("participant.changed", "participant.erased"),
    "match-request": ("match-request.changed",),
    "agenda": ("agenda.changed",),
    "encounter": ("encounter.changed",),
}
_FULL: Final = "org.tertulia.{}.v1"
_FED: Final = frozenset(_FULL.format(short) for shorts in _KINDS.values() for short in shorts) & EVENT_TYPES.keys()


class EventView(BaseModel):
    """An event as a CloudEvent (1.0, structured mode), with its cursor."""

    model_config = ConfigDict(extra="allow")

    cursor: str = Field(description="The place after this item: a reading with it as `after` goes on behind the item.")
    id: str = Field(description="The same each time this revision is told: receivers drop repeats by it.")
    source: str
    type: str = Field(examples=["org.tertulia.agenda.changed.v1"])
    subject: str = Field(description="The thing that has changed: `<edition>/<kind>/<id>`.")
    time: str
    data: dict[str, Any] = Field(
        description="The snapshot of the thing at this revision, as in the AsyncAPI document. Names and addresses are "
        "those of today, as far as the reader may see them; an erased person has none."
    )


class EventsPage(BaseModel):
    """A page of a change feed."""

    items: list[EventView]
    next: str = Field(description="The cursor with which the next page begins, also after a page without items.")


class FollowQuery(BaseModel):
    """The part of a feed to follow."""

    after: str = Field(default="", max_length=60, description="The cursor after which to begin; empty: the start.")
    types: str = Field(
        default="",
        max_length=1000,
        description="Kinds or full types of events, with commas between them, such as `agenda,encounter`; empty: all.",
    )
    thing: str = Field(
        default="",
        max_length=200,
        description="`<kind>/<id>`, such as `participant/p1`: the events of this thing only, with its agenda.",
    )

    def filter(self, from_revision: int = 0) -> FeedFilter:
        """Return the filter of the feed. Raises `Invalid` for an unknown type."""
        return FeedFilter(_full_types(self.types), self.thing, from_revision)


class EventsQuery(FollowQuery):
    """The page of a feed to read."""

    wait: float = Field(default=0, ge=0, le=60, description="Time to wait for an item if none is there, in seconds.")
    from_revision: int = Field(default=0, ge=0, le=10**9, description="Leave older revisions out.")
    limit: int = Field(default=100, ge=1, le=MOST_ITEMS, description="Most items on the page.")


class EditionEventsQuery(EventsQuery):
    """The page of an edition's feed to read."""

    begin: Literal["start", "snapshot"] = Field(
        default="start",
        alias="from",
        description="`snapshot`: begin with the newest event of each thing. The feed goes on behind them.",
    )


@router.get("/editions/{edition_id}/events")
@needs(Action.READ_EVENTS)
async def read_edition_events(
    request: Request,
    principal: CurrentPrincipal,
    edition_id: PathId,
    query: Annotated[EditionEventsQuery, Query()],
) -> EventsPage:
    """Read the change feed of an edition: its events in order, from a cursor on.

    No cursor skips or repeats an item, also after restarts. 410 `cursor-gone`: the feed was made anew; begin again with
    `from=snapshot`.
    """
    feed = await Feed.of_edition(request, principal, edition_id, query.filter(query.from_revision))
    items, following = await feed.page(query.after, query.limit, query.wait, is_snapshot=query.begin == "snapshot")
    return EventsPage(items=items, next=following)


@router.get("/events")
@needs(Action.READ_ALL_EVENTS)
async def read_events(
    request: Request,
    principal: CurrentPrincipal,
    query: Annotated[EventsQuery, Query()],
) -> EventsPage:
    """Read the change feed of the operator: the events of all editions, those of an edition in their order.

    410 `cursor-gone`: the feed was made anew; read it from the start.
    """
    feed = await Feed.of_operator(request, principal, query.filter(query.from_revision))
    items, following = await feed.page(query.after, query.limit, query.wait, is_snapshot=False)
    return EventsPage(items=items, next=following)


@router.get("/editions/{edition_id}/events/stream", response_class=StreamingResponse)
@needs(Action.READ_EVENTS)
async def follow_edition_events(
    request: Request,
    principal: CurrentPrincipal,
    edition_id: PathId,
    query: Annotated[FollowQuery, Query()],
) -> StreamingResponse:
    """Follow the change feed of an edition as Server-Sent Events; `Last-Event-ID` is a cursor of the feed."""
    feed = await Feed.of_edition(request, principal, edition_id, query.filter())
    return await feed.stream(request.headers.get("last-event-id") or query.after)


@router.get("/events/stream", response_class=StreamingResponse)
@needs(Action.READ_ALL_EVENTS)
async def follow_events(
    request: Request, principal: CurrentPrincipal, query: Annotated[FollowQuery, Query()]
) -> StreamingResponse:
    """Follow the change feed of the operator as Server-Sent Events; `Last-Event-ID` is a cursor of the feed."""
    feed = await Feed.of_operator(request, principal, query.filter())
    return await feed.stream(request.headers.get("last-event-id") or query.after)


def _full_types(asked: str) -> str:
    """Return the full types of the events that a reader asks for, with commas between them.

    Raises:
        Invalid: a name is neither a kind nor a type of an event.
    """
    full: list[str] = []
    for name in filter(None, (part.strip() for part in asked.split(","))):
        if name in _FED:
            full.append(name)
        elif name in _KINDS:
            full += [_FULL.format(short) for short in _KINDS[name]]
        else:
            reason = f"{name[:60]!r} is no kind of events: take {', '.join(_KINDS)}, or full types"
            raise Invalid(FieldError("/query/types", reason))
    return ",".join(full)
