"""Endpoints that look up, register or change a party by its id in the operator's own system."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from services.registration.api.access import CurrentService, Gate, PathId
from services.registration.api.bodies import PatchBody, patch_docs
from services.registration.api.replies import (
    WarnedOrganisation,
    WarnedParticipant,
    created,
    outcome,
    reply,
    tried_or,
)
from services.registration.api.rights import needs
from services.registration.domain.organisation import Organisation, OrganisationFacts
from services.registration.domain.participant import Participant, ParticipantFacts
from shared.access import Action

router = APIRouter(prefix="/editions/{edition_id}", tags=["external ids"])

ExternalId = Annotated[
    str, Path(max_length=1000, description="The id in the operator's own system; a `/` in it is sent as it is.")
]


def _put_docs(view: type[WarnedOrganisation | WarnedParticipant]) -> dict[int | str, dict[str, Any]]:
    return tried_or(view) | {201: {"model": view, "description": "The entity, which the request has registered."}}


@router.get("/participants/by-external-id/{external_id:path}", response_model=Participant)
@needs(Action.READ_PARTICIPANTS)
async def get_participant_by_external_id(
    service: CurrentService, edition_id: PathId, external_id: ExternalId
) -> Response:
    """Return the participant with an external id."""
    return reply(await service.external_ids.get(Participant, edition_id, external_id))


@router.put(
    "/participants/by-external-id/{external_id:path}",
    responses=_put_docs(WarnedParticipant),
    openapi_extra=patch_docs(ParticipantFacts),
)
@needs(Action.CHANGE_PARTIES)
async def put_participant_by_external_id(
    request: Request,
    service: CurrentService,
    edition_id: PathId,
    external_id: ExternalId,
    patch: PatchBody,
    gate: Gate,
) -> Response:
    """Register the participant of an external id, or change the participant. Fields that are not sent stay.

    A repeated request changes nothing. `If-Match` is not needed: the system that owns the id owns the fields it sends.
    """
    put = await service.external_ids.put_participant(edition_id, external_id, patch)
    return await (created(service, put.party, request) if put.is_new else outcome(service, gate, put.party))


@router.get("/organisations/by-external-id/{external_id:path}", response_model=Organisation)
@needs(Action.READ_ORGANISATIONS)
async def get_organisation_by_external_id(
    service: CurrentService, edition_id: PathId, external_id: ExternalId
) -> Response:
    """Return the organisation with an external id."""
    return reply(await service.external_ids.get(Organisation, edition_id, external_id))


@router.put(
    "/organisations/by-external-id/{external_id:path}",
    responses=_put_docs(WarnedOrganisation),
    openapi_extra=patch_docs(OrganisationFacts),
)
@needs(Action.CHANGE_PARTIES)
async def put_organisation_by_external_id(
    request: Request,
    service: CurrentService,
    edition_id: PathId,
    external_id: ExternalId,
    patch: PatchBody,
    gate: Gate,
) -> Response:
    """Register the organisation of an external id, or change the organisation. Fields that are not sent stay."""
    put = await service.external_ids.put_organisation(edition_id, external_id, patch)
    return await (created(service, put.party, request) if put.is_new else outcome(service, gate, put.party))
