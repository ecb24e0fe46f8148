"""Endpoints that erase a participant or an organisation."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field

from services.registration.api.access import CurrentService, PathId, context_of
from services.registration.api.rights import needs
from services.registration.domain.organisation import Organisation
from services.registration.domain.participant import Participant
from services.registration.use_cases.erasure import ErasurePlan, ErasureService
from shared.access import Action
from shared.contract.ids import Id
from shared.privacy import REGISTER

router = APIRouter(prefix="/editions/{edition_id}", tags=["privacy"])


class ErasedParty(BaseModel):
    """A party of an erasure."""

    kind: str = Field(description="`organisation` or `participant`.")
    id: Id


class KeptData(BaseModel):
    """A place that keeps data of the party."""

    service: str
    place: str
    holds: str

    @classmethod
    def listed(cls, *, goes: bool) -> list[KeptData]:
        """List the places of the register that an erasure empties, or the places that it leaves."""
        return [
            cls(service=place.service, place=place.name, holds=place.holds) for place in REGISTER if place.goes is goes
        ]


class ErasureReport(BaseModel):
    """The effects of an erasure, made or tried."""

    dry_run: bool = Field(description="Whether nothing was erased.")
    parties: list[ErasedParty] = Field(description="The party, and the participants of an organisation.")
    cancels: bool = Field(
        description="Whether encounters are cancelled with the party. `POST .../cancellation?dry_run=true` shows them."
    )
    goes: list[KeptData] = Field(description="Places that are emptied: see `docs/privacy.md`.")
    stays: list[KeptData] = Field(description="Places that keep ids, which name nobody any more.")

    @classmethod
    def of(cls, plan: ErasurePlan, *, dry_run: bool) -> ErasureReport:
        """Return the report of a plan."""
        return cls(
            dry_run=dry_run,
            parties=[ErasedParty(kind=party.NOUN, id=party.id) for party in plan.parties],
            cancels=plan.cancels,
            goes=KeptData.listed(goes=True),
            stays=KeptData.listed(goes=False),
        )


async def _erasure_service(request: Request, service: CurrentService) -> ErasureService:
    context = context_of(request)
    return ErasureService(service, context.erasure_stores)


CurrentErasures = Annotated[ErasureService, Depends(_erasure_service)]
DryRun = Annotated[bool, Query(description="`true` erases nothing, and tells what would go and what would stay.")]


@router.post("/participants/{participant_id}/erasure")
@needs(Action.ERASE_PERSON)
async def erase_participant(
    erasures: CurrentErasures, edition_id: PathId, participant_id: PathId, dry_run: DryRun = False
) -> ErasureReport:
    """Erase the person behind a participant, for good.

    The id stays, so that agendas, requests and counts hold. The participant is cancelled, unless the edition is closed.
    The same person can be registered again, as a new participant. A repeated request changes nothing.
    """
    plan = await erasures.plan(Participant, edition_id, participant_id)
    return ErasureReport.of(plan if dry_run else await erasures.erase(plan), dry_run=dry_run)


@router.post("/organisations/{organisation_id}/erasure")
@needs(Action.ERASE_PERSON)
async def erase_organisation(
    erasures: CurrentErasures, edition_id: PathId, organisation_id: PathId, dry_run: DryRun = False
) -> ErasureReport:
    """Erase an organisation and its participants, for good. Its id, kind and country stay, so that counts hold."""
    plan = await erasures.plan(Organisation, edition_id, organisation_id)
    return ErasureReport.of(plan if dry_run else await erasures.erase(plan), dry_run=dry_run)
