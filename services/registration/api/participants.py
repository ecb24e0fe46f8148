"""Endpoints of participants."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response

from services.registration.api.access import After, CurrentService, IdempotencyKey, IfMatch, Limit, PathId
from services.registration.api.bodies import PatchBody, body_docs, body_of, patch_docs
from services.registration.api.replies import Page, created, page, reply
from services.registration.domain.participant import Participant, ParticipantFacts

router = APIRouter(prefix="/editions/{edition_id}/participants", tags=["participants"])


@router.post("", status_code=201, response_model=Participant, openapi_extra=body_docs(ParticipantFacts))
async def register_participant(
    request: Request,
    service: CurrentService,
    edition_id: PathId,
    facts: Annotated[ParticipantFacts, body_of(ParticipantFacts)],
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Register a participant of an active organisation; the e-mail address is unique in the edition in any case."""
    return created(await service.participants.register(edition_id, facts, idempotency_key), request)


@router.get("", response_model=Page[Participant])
async def list_participants(
    request: Request, service: CurrentService, edition_id: PathId, limit: Limit = 100, after: After = None
) -> Response:
    """The edition's participants, by id, cancelled ones included."""
    return page(await service.page(Participant, edition_id, after, limit + 1), limit, request)


@router.get("/{participant_id}", response_model=Participant)
async def get_participant(service: CurrentService, edition_id: PathId, participant_id: PathId) -> Response:
    """One participant."""
    return reply(await service.get(Participant, edition_id, participant_id))


@router.patch("/{participant_id}", response_model=Participant, openapi_extra=patch_docs(ParticipantFacts))
async def amend_participant(
    service: CurrentService,
    edition_id: PathId,
    participant_id: PathId,
    revisions: IfMatch,
    patch: PatchBody,
) -> Response:
    """Change a participant.

    With another name, e-mail address, languages and profile another person takes the seat: the id, the requests and the
    agenda stay.
    """
    return reply(await service.participants.amend(edition_id, participant_id, patch, revisions))


@router.post("/{participant_id}/cancellation", response_model=Participant)
async def cancel_participant(service: CurrentService, edition_id: PathId, participant_id: PathId) -> Response:
    """Cancel a participant. Again is the same as once."""
    return reply(await service.participants.cancel(edition_id, participant_id))
