"""Endpoints of the day itself: who has come, and which encounters were held."""

from __future__ import annotations

from fastapi import APIRouter, Response

from services.registration.api.access import CurrentDesk, PathId
from services.registration.api.replies import reply
from services.registration.domain.participant import Participant

router = APIRouter(prefix="/editions/{edition_id}", tags=["the day"])


@router.post("/participants/{participant_id}/check-in", response_model=Participant)
async def check_in(desk: CurrentDesk, edition_id: PathId, participant_id: PathId) -> Response:
    """Note that a participant is at the venue. Again is the same as once."""
    return reply(await desk.check_in(edition_id, participant_id, is_here=True))


@router.delete("/participants/{participant_id}/check-in", response_model=Participant)
async def undo_check_in(desk: CurrentDesk, edition_id: PathId, participant_id: PathId) -> Response:
    """Take a check-in back. Again is the same as once."""
    return reply(await desk.check_in(edition_id, participant_id, is_here=False))
