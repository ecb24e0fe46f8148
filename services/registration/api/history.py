"""Endpoints of histories: the authors of the revisions of an edition, a party or a match request."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel

from services.registration.api.access import CurrentService, PathId
from services.registration.api.rights import needs
from services.registration.domain.edition import Edition
from services.registration.domain.entity import Entity
from services.registration.domain.match_request import MatchRequest
from services.registration.domain.organisation import Organisation
from services.registration.domain.participant import Participant
from services.registration.ports import Revision
from services.registration.service import OperatorService
from shared.access import Action

router = APIRouter(prefix="/editions/{edition_id}", tags=["history"])


class History(BaseModel):
    """The last 100 revisions of an entity, oldest first; revisions of before authors were recorded are left out."""

    items: list[Revision]


@router.get("/history")
@needs(Action.READ_HISTORY)
async def edition_history(service: CurrentService, edition_id: PathId) -> History:
    """List the revisions of an edition with their authors."""
    return await _history(service, Edition, edition_id, edition_id)


@router.get("/organisations/{organisation_id}/history")
@needs(Action.READ_HISTORY)
async def organisation_history(service: CurrentService, edition_id: PathId, organisation_id: PathId) -> History:
    """List the revisions of an organisation with their authors."""
    return await _history(service, Organisation, edition_id, organisation_id)


@router.get("/participants/{participant_id}/history")
@needs(Action.READ_HISTORY)
async def participant_history(service: CurrentService, edition_id: PathId, participant_id: PathId) -> History:
    """List the revisions of a participant with their authors."""
    return await _history(service, Participant, edition_id, participant_id)


@router.get("/match-requests/{request_id}/history")
@needs(Action.READ_HISTORY)
async def request_history(service: CurrentService, edition_id: PathId, request_id: PathId) -> History:
    """List the revisions of a match request with their authors."""
    return await _history(service, MatchRequest, edition_id, request_id)


async def _history(service: OperatorService, kind: type[Entity], edition_id: str, entity_id: str) -> History:
    await service.get(kind, edition_id, entity_id)
    return History(items=await service.unit_of_work.repository.history(kind, edition_id, entity_id))
