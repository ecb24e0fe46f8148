"""Endpoints of match requests."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response

from services.registration.api.access import After, CurrentService, Gate, IdempotencyKey, Limit, PathId
from services.registration.api.bodies import body_docs, body_of
from services.registration.api.replies import Page, Tried, created, outcome, page, reply, tried_or
from services.registration.api.rights import needs
from services.registration.domain.match_request import Answer, MatchRequest, MatchRequestFacts
from shared.access import Action

router = APIRouter(prefix="/editions/{edition_id}/match-requests", tags=["match requests"])


@router.post(
    "",
    status_code=201,
    response_model=MatchRequest,
    responses={200: {"model": Tried, "description": "The preview of a dry run."}},
    openapi_extra=body_docs(MatchRequestFacts),
)
@needs(Action.CHANGE_REQUESTS)
async def ask(
    request: Request,
    service: CurrentService,
    edition_id: PathId,
    facts: Annotated[MatchRequestFacts, body_of(MatchRequestFacts)],
    gate: Gate,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Ask to meet a participant or, with `target_id` null, ask the system for partners.

    Both participants are active and of different organisations. The same request can be made again only after it was
    withdrawn or has expired, or after the participant who declined it has asked the requester.
    """
    made = await service.match_requests.create(edition_id, facts, idempotency_key)
    return await (outcome(service, gate, made) if gate.dry_run else created(service, made, request))


@router.get("", response_model=Page[MatchRequest])
@needs(Action.READ_REQUESTS)
async def list_match_requests(
    request: Request, service: CurrentService, edition_id: PathId, limit: Limit = 100, after: After = None
) -> Response:
    """List the match requests of the edition, by id."""
    return page(await service.page(MatchRequest, edition_id, after, limit + 1), limit, request)


@router.get("/{request_id}", response_model=MatchRequest)
@needs(Action.READ_REQUESTS)
async def get_match_request(service: CurrentService, edition_id: PathId, request_id: PathId) -> Response:
    """Return a match request."""
    return reply(await service.get(MatchRequest, edition_id, request_id))


@router.post("/{request_id}/acceptance", responses=tried_or(MatchRequest))
@needs(Action.CHANGE_REQUESTS)
async def accept(service: CurrentService, edition_id: PathId, request_id: PathId, gate: Gate) -> Response:
    """Accept a match request on behalf of its target. A repeated request changes nothing."""
    return await outcome(service, gate, await service.match_requests.answer(edition_id, request_id, Answer.ACCEPTANCE))


@router.post("/{request_id}/refusal", responses=tried_or(MatchRequest))
@needs(Action.CHANGE_REQUESTS)
async def decline(service: CurrentService, edition_id: PathId, request_id: PathId, gate: Gate) -> Response:
    """Decline a match request on behalf of its target. A repeated request changes nothing."""
    return await outcome(service, gate, await service.match_requests.answer(edition_id, request_id, Answer.REFUSAL))


@router.post("/{request_id}/withdrawal", responses=tried_or(MatchRequest))
@needs(Action.CHANGE_REQUESTS)
async def withdraw(service: CurrentService, edition_id: PathId, request_id: PathId, gate: Gate) -> Response:
    """Withdraw a match request on behalf of its requester, also after it was answered. A repeat changes nothing."""
    return await outcome(service, gate, await service.match_requests.answer(edition_id, request_id, Answer.WITHDRAWAL))
