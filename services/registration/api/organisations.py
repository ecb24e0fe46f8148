"""Endpoints of organisations."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response

from services.registration.api.access import After, CurrentService, Gate, IdempotencyKey, IfMatch, Limit, PathId
from services.registration.api.bodies import PatchBody, body_docs, body_of, patch_docs
from services.registration.api.replies import (
    Page,
    Warned,
    WarnedOrganisation,
    created,
    outcome,
    page,
    reply,
    tried_or,
    warned,
)
from services.registration.api.rights import needs
from services.registration.api.search import OrganisationSearch, found_in
from services.registration.domain.organisation import Organisation, OrganisationFacts
from shared.access import Action

router = APIRouter(prefix="/editions/{edition_id}/organisations", tags=["organisations"])


class ReinstatedOrganisation(Organisation, Warned):
    """An organisation that takes part again."""


@router.post("", status_code=201, response_model=WarnedOrganisation, openapi_extra=body_docs(OrganisationFacts))
@needs(Action.REGISTER)
async def register_organisation(
    request: Request,
    service: CurrentService,
    edition_id: PathId,
    facts: Annotated[OrganisationFacts, body_of(OrganisationFacts)],
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Register an organisation. Its name is unique in the edition, regardless of case."""
    return await created(service, await service.organisations.register(edition_id, facts, idempotency_key), request)


@router.get("", response_model=Page[Organisation])
@needs(Action.READ_ORGANISATIONS)
async def list_organisations(
    request: Request,
    service: CurrentService,
    edition_id: PathId,
    search: OrganisationSearch,
    limit: Limit = 100,
    after: After = None,
) -> Response:
    """List the organisations of the edition, by id, also the cancelled: all, or the results of a search."""
    return page(await found_in(service, Organisation, edition_id, search, after, limit + 1), limit, request)


@router.get("/{organisation_id}", response_model=Organisation)
@needs(Action.READ_ORGANISATIONS)
async def get_organisation(service: CurrentService, edition_id: PathId, organisation_id: PathId) -> Response:
    """Return an organisation."""
    return reply(await service.get(Organisation, edition_id, organisation_id))


@router.patch("/{organisation_id}", responses=tried_or(WarnedOrganisation), openapi_extra=patch_docs(OrganisationFacts))
@needs(Action.CHANGE_PARTIES)
async def amend_organisation(
    service: CurrentService,
    edition_id: PathId,
    organisation_id: PathId,
    revisions: IfMatch,
    patch: PatchBody,
    gate: Gate,
) -> Response:
    """Change an organisation."""
    return await outcome(
        service, gate, await service.organisations.amend(edition_id, organisation_id, patch, revisions)
    )


@router.post("/{organisation_id}/cancellation", responses=tried_or(WarnedOrganisation))
@needs(Action.CHANGE_PARTIES)
async def cancel_organisation(
    service: CurrentService, edition_id: PathId, organisation_id: PathId, gate: Gate
) -> Response:
    """Cancel an organisation and its participants. A repeated request changes nothing."""
    return await outcome(service, gate, await service.organisations.cancel(edition_id, organisation_id))


@router.post("/{organisation_id}/reinstatement", responses=tried_or(ReinstatedOrganisation))
@needs(Action.CHANGE_PARTIES)
async def reinstate_organisation(
    service: CurrentService, edition_id: PathId, organisation_id: PathId, gate: Gate
) -> Response:
    """Have a cancelled organisation take part again, with the participants that were cancelled with it.

    A repeated request changes nothing. Participants that were cancelled on their own stay cancelled. `warnings` names
    each participant that cannot come back, and each session that is full meanwhile. The answer is 409 if another
    organisation has the name now.
    """
    back = await service.organisations.reinstate(edition_id, organisation_id)
    if gate.dry_run:
        return await outcome(service, gate, back.party)
    return warned(ReinstatedOrganisation, back.party, (*back.warnings, *await service.warnings(back.party)))
