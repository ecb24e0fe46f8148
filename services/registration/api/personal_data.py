"""The endpoint that exports all data kept about a participant."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from services.registration.api.access import CurrentService, PathId, SchedulerClient, context_of
from services.registration.api.rights import needs
from services.registration.domain.match_request import MatchRequest
from services.registration.domain.participant import Participant
from services.registration.internal_clients import InternalClient, ServiceDeclined
from services.registration.ports import Revision
from shared.access import Action
from shared.contract.events import Instant
from shared.privacy import REGISTER

router = APIRouter(prefix="/editions/{edition_id}/participants/{participant_id}/data", tags=["privacy"])
_MOST = "1000"


class PlaceOfData(BaseModel):
    """A place that keeps data of participants, as the register of personal data says."""

    service: str
    place: str
    holds: str
    purpose: str
    duration: str
    readers: str


class PersonalData(BaseModel):
    """All data kept about a participant."""

    exported_at: Instant
    participant: Participant
    revisions: list[Revision] = Field(description="The last changes, with their authors.")
    match_requests: list[MatchRequest] = Field(description="Requests of the participant, and to the participant.")
    encounters: list[dict[str, Any]] = Field(description="Encounters of the participant, as the scheduler keeps them.")
    mails: list[dict[str, Any]] = Field(description="The last mail to the participant, as notify keeps it, by ids.")
    kept: list[PlaceOfData] = Field(description="The places, the purposes and the durations: `docs/privacy.md`.")


async def _notify(request: Request) -> InternalClient:
    return context_of(request).clients.notify


@router.get("")
@needs(Action.EXPORT_PERSON)
async def export_personal_data(
    service: CurrentService,
    edition_id: PathId,
    participant_id: PathId,
    scheduler: SchedulerClient,
    notify: Annotated[InternalClient, Depends(_notify)],
) -> PersonalData:
    """Export all data kept about a participant, by all services: complete, or 503.

    It is for the person: texts of other people are not in it, only their ids.
    """
    participant = await service.get(Participant, edition_id, participant_id)
    unit = service.unit_of_work
    query = {"participant_id": participant_id, "limit": _MOST}
    encounters = await _items_of(scheduler, f"/editions/{edition_id}/encounters", query)
    return PersonalData(
        exported_at=unit.clock(),
        participant=participant,
        revisions=await unit.repository.history(Participant, edition_id, participant_id),
        match_requests=sorted(await service.moves.requests_of(participant), key=lambda request: request.id),
        encounters=encounters,
        mails=await _mails_to(notify, edition_id, participant_id),
        kept=[
            PlaceOfData(
                service=place.service,
                place=place.name,
                holds=place.holds,
                purpose=place.purpose,
                duration=place.duration,
                readers=place.readers,
            )
            for place in REGISTER
        ],
    )


async def _mails_to(notify: InternalClient, edition_id: str, participant_id: str) -> list[dict[str, Any]]:
    """Return the deliveries to a participant. The list of notify is by id, beyond an id."""
    query = {"after": participant_id[:-1], "limit": _MOST}
    found = await _items_of(notify, f"/editions/{edition_id}/reach", query)
    return [item for item in found if item["participant_id"] == participant_id]


async def _items_of(client: InternalClient, path: str, query: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the items of a list; none if the service does not know the edition yet."""
    try:
        items: list[dict[str, Any]] = (await client.get(path, query))["items"]
    except ServiceDeclined as declined:
        if declined.status != HTTPStatus.NOT_FOUND:
            raise
        return []
    return items
