"""The endpoint of affinities. Matching answers it."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import APIRouter, Request

from services.registration.api.access import CurrentDesk, PathId, office_of
from services.registration.domain.participant import Participant
from shared.pair_answer import PairAnswer

router = APIRouter(prefix="/editions/{edition_id}/affinities", tags=["affinities"])


@router.get("/{one}/{other}")
async def explain(request: Request, desk: CurrentDesk, edition_id: PathId, one: PathId, other: PathId) -> PairAnswer:
    """How well two participants fit, with the reasons; and, where they are to have no encounter, why not."""
    for participant_id in (one, other):
        await desk.records.get(Participant, edition_id, participant_id)
    path = "/".join(quote(part, safe="") for part in ("editions", edition_id, "affinities", one, other))
    return PairAnswer.model_validate(await office_of(request).peers.matching.get(f"/{path}"))
