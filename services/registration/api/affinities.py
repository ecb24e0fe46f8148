"""The endpoint of affinities. Matching answers it."""

from __future__ import annotations

from fastapi import APIRouter

from services.registration.api.access import AskMatching, CurrentDesk, PathId
from services.registration.domain.participant import Participant
from shared.internal_api.pairs import PairAnswer

router = APIRouter(prefix="/editions/{edition_id}/affinities", tags=["affinities"])


@router.get("/{one}/{other}")
async def explain(
    desk: CurrentDesk, matching: AskMatching, edition_id: PathId, one: PathId, other: PathId
) -> PairAnswer:
    """How well two participants fit, with the reasons; and, where they are to have no encounter, why not."""
    for participant_id in (one, other):
        await desk.records.get(Participant, edition_id, participant_id)
    path = f"/editions/{edition_id}/affinities/{one}/{other}"
    return PairAnswer.model_validate(await matching.get(path))
