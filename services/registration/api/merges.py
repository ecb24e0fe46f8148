"""Endpoints that merge two registrations of the same person."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from services.registration.api.access import CurrentService, Gate, PathId, SchedulerClient, context_of
from services.registration.api.bodies import body_docs, body_of
from services.registration.api.rights import needs
from services.registration.domain.participant import MergeFacts
from services.registration.internal_clients import InternalClient, ServiceUnavailable
from services.registration.use_cases.merging import MergePreview, MergeService
from services.registration.use_cases.organisation_merging import OrganisationMergePreview, OrganisationMergeService
from shared.access import Action
from shared.contract.ids import Id
from shared.internal_api.edits import EncounterNow

router = APIRouter(prefix="/editions/{edition_id}", tags=["corrections"])


class TriedMerge(BaseModel):
    """The answer to a dry run of a merge."""

    token: str = Field(description="Confirms the merge with exactly these effects, as `?token=`.")
    preview: MergePreview


class MadeMerge(BaseModel):
    """A merge that was made, with its effects."""

    participant_id: Id = Field(description="The kept participant.")
    revision: int = Field(description="The revision of the kept participant after the merge.")
    effects: MergePreview


class TriedOrganisationMerge(BaseModel):
    """The answer to a dry run of a merge of organisations."""

    token: str = Field(description="Confirms the merge with exactly these effects, as `?token=`.")
    preview: OrganisationMergePreview


class MadeOrganisationMerge(BaseModel):
    """A merge of organisations that was made, with its effects."""

    organisation_id: Id = Field(description="The kept organisation.")
    revision: int = Field(description="The revision of the kept organisation after the merge.")
    effects: OrganisationMergePreview


@router.post("/organisations/{organisation_id}/merges", openapi_extra=body_docs(MergeFacts))
@needs(Action.CHANGE_PARTIES)
async def merge_organisation(
    request: Request,
    service: CurrentService,
    edition_id: PathId,
    organisation_id: PathId,
    facts: Annotated[MergeFacts, body_of(MergeFacts)],
    _: Gate,
) -> MadeOrganisationMerge | TriedOrganisationMerge:
    """Merge a duplicate into this organisation; always with a preview first (428 without `?token=`).

    The people of the duplicate move to this organisation, with requests and agendas. The duplicate is cancelled with
    `merged_into`, and its id still answers. An amendment undoes it.
    """
    amendments = context_of(request).amendments.of(service.unit_of_work.repository.operator_id)
    merge = await OrganisationMergeService(service, amendments).merge(edition_id, organisation_id, facts.merged_id)
    if merge.is_made:
        kept, effects = merge.party, merge.previewed.preview
        return MadeOrganisationMerge(organisation_id=kept.organisation_id, revision=kept.revision, effects=effects)
    return TriedOrganisationMerge(token=merge.previewed.token, preview=merge.previewed.preview)


@router.post("/participants/{participant_id}/merges", openapi_extra=body_docs(MergeFacts))
@needs(Action.CHANGE_PARTIES)
async def merge_participant(
    request: Request,
    service: CurrentService,
    scheduler: SchedulerClient,
    edition_id: PathId,
    participant_id: PathId,
    facts: Annotated[MergeFacts, body_of(MergeFacts)],
    _: Gate,
) -> MadeMerge | TriedMerge:
    """Merge a duplicate registration into this participant; always with a preview first (428 without `?token=`).

    Requests, sessions and availability of both go to this participant, and encounters follow at their announced hour
    where it is free. The duplicate is cancelled with `merged_into`, and its id still answers. An amendment undoes it.
    """
    await service.editions.get(edition_id)
    merges = MergeService(service, context_of(request).amendments.of(service.unit_of_work.repository.operator_id))
    encounters = await _encounters_of(scheduler, edition_id, (participant_id, facts.merged_id))
    merge = await merges.merge(edition_id, participant_id, facts.merged_id, encounters)
    if merge.is_made:
        kept, effects = merge.party, merge.previewed.preview
        return MadeMerge(participant_id=kept.participant_id, revision=kept.revision, effects=effects)
    return TriedMerge(token=merge.previewed.token, preview=merge.previewed.preview)


async def _encounters_of(
    scheduler: InternalClient, edition_id: str, participant_ids: tuple[str, str]
) -> list[EncounterNow] | None:
    """Return the encounters of two participants; None if the scheduler does not answer."""
    found: dict[str, EncounterNow] = {}
    try:
        for participant_id in participant_ids:
            query = {"participant_id": participant_id, "limit": "500"}
            answer = await scheduler.get(f"/editions/{edition_id}/encounters", query)
            items = map(EncounterNow.model_validate, answer["items"])
            found |= {encounter.encounter_id: encounter for encounter in items}
    except ServiceUnavailable:
        return None
    return list(found.values())
