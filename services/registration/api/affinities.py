"""The endpoint of affinities, answered by matching."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from services.registration.api.access import CurrentService, MatchingClient, PathId
from services.registration.domain.participant import Participant
from shared.internal_api.pairs import PairAnswer

router = APIRouter(prefix="/editions/{edition_id}/affinities", tags=["affinities"])


@router.get("/{one}/{other}")
async def explain(
    service: CurrentService,
    matching: MatchingClient,
    edition_id: PathId,
    first_id: Annotated[str, Path(alias="one", max_length=1000)],
    second_id: Annotated[str, Path(alias="other", max_length=1000)],
) -> PairAnswer:
    """Explain the affinity of two participants: its score, its reasons, and the obstacles to an encounter."""
    for participant_id in (first_id, second_id):
        await service.get(Participant, edition_id, participant_id)
    path = f"/editions/{edition_id}/affinities/{first_id}/{second_id}"
    return PairAnswer.model_validate(await matching.get(path))
