"""The endpoint of the observatory. Matching answers it, in counts that name nobody."""

from __future__ import annotations

from fastapi import APIRouter

from services.registration.api.access import CurrentService, MatchingClient, PathId
from shared.internal_api.observatory import ObservatoryView

router = APIRouter(prefix="/editions/{edition_id}/observatory", tags=["observatory"])


@router.get("")
async def observe(service: CurrentService, matching: MatchingClient, edition_id: PathId) -> ObservatoryView:
    """The edition's capacities, needs and clusters, in counts of organisations; at most a minute old.

    No count is below five, and none such follows from the others: groups too small are put together, and what may not
    be said is null. 409 while fewer than five organisations take part.
    """
    await service.editions.get(edition_id)
    return ObservatoryView.model_validate(await matching.get(f"/editions/{edition_id}/observatory"))
