"""Endpoints of the event day: check-in of participants, and attendance of encounters."""

from __future__ import annotations

import contextlib
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from services.registration.api.access import CurrentService, PathId, SchedulerClient, is_id
from services.registration.api.bodies import body_docs, body_of
from services.registration.api.problems import rejections
from services.registration.api.replies import reply
from services.registration.api.rights import needs
from services.registration.domain.agenda import AttendanceFacts
from services.registration.domain.errors import Conflict, NotFound
from services.registration.domain.participant import Participant
from shared.access import Action
from shared.contract.ids import Id
from shared.internal_api.edit_errors import ATTENDANCE_ERRORS

router = APIRouter(prefix="/editions/{edition_id}", tags=["the day"])


class Noted(BaseModel):
    """The consequences of an attendance report."""

    gone: list[Id] = Field(description="Participants who are no longer taken to be at the venue.")
    refilled: list[Id] = Field(description="Encounters that were given the freed time or table.")


@router.post("/participants/{participant_id}/check-in", response_model=Participant)
@needs(Action.REPORT_ATTENDANCE)
async def check_in(service: CurrentService, edition_id: PathId, participant_id: PathId) -> Response:
    """Record that a participant is at the venue. A repeated request changes nothing."""
    return reply(await service.participants.check_in(edition_id, participant_id, is_here=True))


@router.delete("/participants/{participant_id}/check-in", response_model=Participant)
@needs(Action.REPORT_ATTENDANCE)
async def undo_check_in(service: CurrentService, edition_id: PathId, participant_id: PathId) -> Response:
    """Take a check-in back. A repeated request changes nothing."""
    return reply(await service.participants.check_in(edition_id, participant_id, is_here=False))


@router.post(
    "/encounters/{encounter_id}/attendance",
    openapi_extra=body_docs(AttendanceFacts),
    responses=rejections(ATTENDANCE_ERRORS),
)
@needs(Action.REPORT_ATTENDANCE)
async def note_attendance(
    service: CurrentService,
    scheduler: SchedulerClient,
    edition_id: PathId,
    encounter_id: PathId,
    reported: Annotated[AttendanceFacts, body_of(AttendanceFacts)],
) -> Noted:
    """Record that an encounter was held, or was missed because a participant did not come.

    The time and the table of a missed encounter are offered at once to waiting participants who are checked in and
    free. Absent participants are checked out. A repeated report changes nothing; a different report corrects the
    earlier report, also after the edition is closed.
    """
    await service.editions.get(edition_id)
    if not is_id(encounter_id):
        raise NotFound("there is no such encounter")
    path = f"/editions/{edition_id}/encounters/{encounter_id}/attendance"
    noted = Noted.model_validate(
        await scheduler.post(path, reported.model_dump(mode="json"), service.unit_of_work.principal.actor)
    )
    for participant_id in noted.gone:
        # A participant cancelled, or an edition closed, at this moment: the check-in does not matter any more.
        with contextlib.suppress(NotFound, Conflict):
            await service.participants.check_in(edition_id, participant_id, is_here=False)
    return noted
