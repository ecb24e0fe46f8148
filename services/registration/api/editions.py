"""Endpoints of editions."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from services.registration.api.access import After, CurrentService, Gate, IdempotencyKey, IfMatch, Limit, PathId
from services.registration.api.bodies import PatchBody, body_docs, body_of, patch_docs
from services.registration.api.replies import Page, WarnedEdition, created, outcome, page, reply, tried_or
from services.registration.api.rights import needs
from services.registration.domain import members
from services.registration.domain.edition import Edition, EditionFacts, SessionFacts
from services.registration.domain.edition_parts import FillingFacts
from services.registration.domain.members import PostponementFacts
from services.registration.domain.seats import Attendance
from shared.access import Action
from shared.contract.events import Phase

Confirmed = Annotated[
    Literal["live"] | None,
    Query(description="`live` confirms that an open edition becomes live at once; without it: 428."),
]

router = APIRouter(prefix="/editions", tags=["editions"])
_MOST_IN_LINE = 100


class SessionView(SessionFacts):
    """A session, with its attendance."""

    attending: int = Field(description="Number of participants that attend the session now.")
    seats_left: int | None = Field(description="Number of participants that may still join; null: any number.")
    waiting: int = Field(description="Number of participants that wait in line for a seat.")
    line: list[str] = Field(description=f"Ids of the first {_MOST_IN_LINE} participants in line, in order.")


class Sessions(BaseModel):
    """The sessions of an edition, in its order."""

    items: list[SessionView]


@router.post("", status_code=201, response_model=WarnedEdition, openapi_extra=body_docs(EditionFacts))
@needs(Action.OPEN_EDITIONS)
async def open_edition(
    request: Request,
    service: CurrentService,
    facts: Annotated[EditionFacts, body_of(EditionFacts)],
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Create an edition. Its slots follow from its days without their breaks; at most 500 slots."""
    return await created(service, await service.editions.create(facts, idempotency_key), request)


@router.get("", response_model=Page[Edition])
@needs(Action.READ_EDITIONS)
async def list_editions(request: Request, service: CurrentService, limit: Limit = 100, after: After = None) -> Response:
    """List the editions of the operator, by id."""
    return page(await service.editions.page(after, limit + 1), limit, request)


@router.get("/{edition_id}", response_model=Edition)
@needs(Action.READ_EDITIONS)
async def get_edition(service: CurrentService, edition_id: PathId) -> Response:
    """Return an edition."""
    return reply(await service.editions.get(edition_id))


@router.patch("/{edition_id}", responses=tried_or(WarnedEdition), openapi_extra=patch_docs(EditionFacts))
@needs(Action.CHANGE_EDITIONS)
async def amend_edition(
    service: CurrentService,
    edition_id: PathId,
    revisions: IfMatch,
    patch: PatchBody,
    gate: Gate,
    confirm: Confirmed = None,
) -> Response:
    """Change an edition that is not closed. Its phase only goes forwards: open, published, live, closed.

    A published edition becomes live by itself, and is closed by itself: see `live_lead_minutes` and
    `close_lag_minutes`. An open edition becomes live in one step with `?confirm=live` only.

    Once agendas are announced, a change that moves more than `preview_above_percent` or `preview_above_people` allow is
    answered with 428 and its preview: send it again with the `token`.
    """
    confirmed = Phase(confirm) if confirm else None
    return await outcome(service, gate, await service.editions.amend(edition_id, patch, revisions, confirmed))


@router.post(
    "/{edition_id}/postponements", responses=tried_or(WarnedEdition), openapi_extra=body_docs(PostponementFacts)
)
@needs(Action.CHANGE_EDITIONS)
async def postpone_edition(
    service: CurrentService,
    edition_id: PathId,
    revisions: IfMatch,
    gate: Gate,
    wanted: Annotated[PostponementFacts, body_of(PostponementFacts)],
) -> Response:
    """Move all days, all sessions and the availability of all participants by some days, at the same local times.

    It needs `If-Match`, so that a repeated request moves nothing twice. The edition has a new revision, and so
    has every participant with an availability. If registration stops in between, it goes on after its start.
    """
    patch_of = members.postpone(wanted.days)
    return await outcome(service, gate, await service.editions.change(edition_id, patch_of, revisions))


@router.get("/{edition_id}/sessions")
@needs(Action.READ_EDITIONS)
async def list_sessions(service: CurrentService, edition_id: PathId) -> Sessions:
    """List the sessions of the edition, with the number of seats left.

    If a capacity is lowered below the attendance, all participants keep their seats. The session takes no more
    participants until the attendance has fallen below the capacity. A freed seat goes to the first participant in line.
    """
    return Sessions(items=[*map(_view, await service.editions.attendance(edition_id))])


@router.post("/{edition_id}/proposals", response_model=Edition, openapi_extra=body_docs(FillingFacts))
@needs(Action.EDIT_AGENDA)
async def fill_agendas(
    service: CurrentService, edition_id: PathId, wanted: Annotated[FillingFacts, body_of(FillingFacts)]
) -> Response:
    """Propose partners to the participants with fewer than `encounters` coming encounters, the least served first.

    Earlier proposals stay. Under the `organiser` policy a proposal is an encounter at once; under the other policies
    it waits until both participants have asked for each other.
    """
    return reply(await service.editions.propose_partners(edition_id, wanted))


def _view(attendance: Attendance) -> SessionView:
    return SessionView(
        **dict(attendance.session),
        attending=len(attendance.held),
        seats_left=attendance.open_seats(),
        waiting=len(attendance.line),
        line=[participant_id for _, participant_id in attendance.line[:_MOST_IN_LINE]],
    )
