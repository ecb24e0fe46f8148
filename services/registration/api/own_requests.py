"""Endpoints of match requests in the name of a participant: for the link of a mail, for pages and for the organiser."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response

from services.registration.api.access import CurrentService, Gate, IdempotencyKey, PathId
from services.registration.api.bodies import body_docs, body_of
from services.registration.api.replies import Tried, created, outcome, tried_or
from services.registration.api.rights import needs
from services.registration.domain.errors import FieldError, Invalid
from services.registration.domain.match_request import Answer, MatchRequest, MatchRequestFacts, OwnRequestFacts
from services.registration.domain.participant import Participant
from shared.access import Action

router = APIRouter(
    prefix="/editions/{edition_id}/participants/{participant_id}/match-requests", tags=["match requests"]
)


@router.post(
    "",
    status_code=201,
    response_model=MatchRequest,
    responses={200: {"model": Tried, "description": "The preview of a dry run."}},
    openapi_extra=body_docs(OwnRequestFacts),
)
@needs(Action.ACT_ON_OWN_REQUESTS)
async def ask_as_participant(
    request: Request,
    service: CurrentService,
    edition_id: PathId,
    participant_id: PathId,
    facts: Annotated[OwnRequestFacts, body_of(OwnRequestFacts)],
    gate: Gate,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Ask in the name of the participant: as `POST .../match-requests` does."""
    await service.get(Participant, edition_id, participant_id)
    if facts.target_id == participant_id:
        raise Invalid(FieldError("/target_id", "a participant cannot ask to meet themselves"))
    whole = MatchRequestFacts(requester_id=participant_id, **facts.values())
    made = await service.match_requests.create(edition_id, whole, idempotency_key)
    return await (outcome(service, gate, made) if gate.dry_run else created(service, made, request))


@router.post("/{request_id}/acceptance", responses=tried_or(MatchRequest))
@needs(Action.ACT_ON_OWN_REQUESTS)
async def accept_as_participant(
    service: CurrentService, edition_id: PathId, participant_id: PathId, request_id: PathId, gate: Gate
) -> Response:
    """Accept a match request that was put to the participant. A repeated request changes nothing."""
    return await _answer(service, edition_id, participant_id, request_id, gate, Answer.ACCEPTANCE)


@router.post("/{request_id}/refusal", responses=tried_or(MatchRequest))
@needs(Action.ACT_ON_OWN_REQUESTS)
async def decline_as_participant(
    service: CurrentService, edition_id: PathId, participant_id: PathId, request_id: PathId, gate: Gate
) -> Response:
    """Decline a match request that was put to the participant. A repeated request changes nothing."""
    return await _answer(service, edition_id, participant_id, request_id, gate, Answer.REFUSAL)


@router.post("/{request_id}/retraction", responses=tried_or(MatchRequest))
@needs(Action.ACT_ON_OWN_REQUESTS)
async def retract_as_participant(
    service: CurrentService, edition_id: PathId, participant_id: PathId, request_id: PathId, gate: Gate
) -> Response:
    """Take back the acceptance of a match request: it is declined, and its encounter is cancelled."""
    return await _answer(service, edition_id, participant_id, request_id, gate, Answer.RETRACTION)


@router.post("/{request_id}/withdrawal", responses=tried_or(MatchRequest))
@needs(Action.ACT_ON_OWN_REQUESTS)
async def withdraw_as_participant(
    service: CurrentService, edition_id: PathId, participant_id: PathId, request_id: PathId, gate: Gate
) -> Response:
    """Withdraw a match request that the participant has made, also after it was answered."""
    return await _answer(service, edition_id, participant_id, request_id, gate, Answer.WITHDRAWAL)


async def _answer(
    service: CurrentService, edition_id: str, participant_id: str, request_id: str, gate: Gate, answer: Answer
) -> Response:
    answered = await service.match_requests.answer_as(edition_id, participant_id, request_id, answer)
    return await outcome(service, gate, answered)
