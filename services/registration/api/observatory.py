"""The endpoint of the observatory, answered by matching in anonymous counts."""

from __future__ import annotations

from fastapi import APIRouter

from services.registration.api.access import CurrentService, MatchingClient, PathId
from services.registration.api.rights import needs
from shared.access import Action
from shared.internal_api.observatory import ObservatoryView

router = APIRouter(prefix="/editions/{edition_id}/observatory", tags=["observatory"])


@router.get("")
@needs(Action.READ_OBSERVATORY)
async def observe(service: CurrentService, matching: MatchingClient, edition_id: PathId) -> ObservatoryView:
    """Return the edition's capacities, needs and clusters, in counts of organisations; at most a minute old.

    No count is below five, and no smaller count can be computed from the rest. Groups that are too small are merged,
    and withheld values are null. 409 while fewer than five organisations take part.
    """
    await service.editions.get(edition_id)
    return ObservatoryView.model_validate(await matching.get(f"/editions/{edition_id}/observatory"))
