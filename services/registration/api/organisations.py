"""Endpoints of organisations."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response

from services.registration.api.access import After, CurrentDesk, IdempotencyKey, IfMatch, Limit, PathId
from services.registration.api.bodies import PatchBody, body_of, takes, takes_patch
from services.registration.api.replies import Page, created, page, reply
from services.registration.domain.organisation import Organisation, OrganisationFacts

router = APIRouter(prefix="/editions/{edition_id}/organisations", tags=["organisations"])


@router.post("", status_code=201, response_model=Organisation, openapi_extra=takes(OrganisationFacts))
async def register_organisation(
    request: Request,
    desk: CurrentDesk,
    edition_id: PathId,
    facts: Annotated[OrganisationFacts, body_of(OrganisationFacts)],
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Register an organisation. Its name is unique in its edition, whatever the case."""
    return created(await desk.register_organisation(edition_id, facts, idempotency_key), request)


@router.get("", response_model=Page[Organisation])
async def list_organisations(
    request: Request, desk: CurrentDesk, edition_id: PathId, limit: Limit = 100, after: After = None
) -> Response:
    """The edition's organisations, by id, cancelled ones included."""
    return page(await desk.page(Organisation, edition_id, after, limit + 1), limit, request)


@router.get("/{organisation_id}", response_model=Organisation)
async def get_organisation(desk: CurrentDesk, edition_id: PathId, organisation_id: PathId) -> Response:
    """One organisation."""
    return reply(await desk.records.get(Organisation, edition_id, organisation_id))


@router.patch("/{organisation_id}", response_model=Organisation, openapi_extra=takes_patch(OrganisationFacts))
async def amend_organisation(
    desk: CurrentDesk,
    edition_id: PathId,
    organisation_id: PathId,
    revisions: IfMatch,
    patch: PatchBody,
) -> Response:
    """Change an organisation."""
    return reply(await desk.amend_organisation(edition_id, organisation_id, patch, revisions))


@router.post("/{organisation_id}/cancellation", response_model=Organisation)
async def cancel_organisation(desk: CurrentDesk, edition_id: PathId, organisation_id: PathId) -> Response:
    """Cancel an organisation and its participants. Again is the same as once."""
    return reply(await desk.cancel_organisation(edition_id, organisation_id))
