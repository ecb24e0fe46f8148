"""The endpoint that lists proposals, answered by matching."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from services.registration.api.access import CurrentService, Limit, MatchingClient, PathId
from services.registration.api.rights import needs
from shared.access import Action
from shared.contract.ids import Id
from shared.contract.reason_sentences import ReasonGrounds, reason_lines
from shared.internal_api.pairs import Proposal

router = APIRouter(prefix="/editions/{edition_id}/proposals", tags=["affinities"])


class Proposals(BaseModel):
    """A page of proposals, best first, with the names of their participants."""

    items: list[Proposal]
    names: dict[str, str] = Field(description="By participant id.")
    told: dict[str, dict[str, str]] = Field(
        description="The reason to meet by pair id and participant id: a line from that participant's side and in "
        "their language, as in their mail; empty without a reason worth reading."
    )
    next: str | None = Field(description="The value of `after` for the next page; null on the last page.")


@router.get("")
@needs(Action.PLAN_AGENDA)
async def list_proposals(
    service: CurrentService,
    matching: MatchingClient,
    edition_id: PathId,
    limit: Limit = 100,
    after: Annotated[Id | None, Query(description="The `next` of the page before.")] = None,
    participant_id: Annotated[Id | None, Query(description="Only the proposals with this participant.")] = None,
) -> Proposals:
    """List the pairs that matching proposes now, with score and reasons, best first.

    A pair is listed while an answer is awaited, and once it is granted without a directed request.
    """
    await service.editions.get(edition_id)
    query = {"limit": str(limit + 1), "after": after or ""}
    query |= {"participant_id": participant_id} if participant_id else {}
    answer = await matching.get(f"/editions/{edition_id}/proposals", query)
    items = [Proposal.model_validate(item) for item in answer["items"]]
    shown = items[:limit]
    concerned = {participant_id for proposal in shown for participant_id in proposal.participant_ids}
    names = await service.participants.names(edition_id, concerned)
    sides = await service.participants.sides(edition_id, concerned)
    told = {proposal.pair_id: reason_lines(_grounds(proposal), sides) for proposal in shown}
    return Proposals(items=shown, names=names, told=told, next=shown[-1].cursor if len(items) > limit else None)


def _grounds(proposal: Proposal) -> ReasonGrounds:
    return ReasonGrounds(proposal.participant_ids, proposal.reasons, requested=False, requested_by=())
