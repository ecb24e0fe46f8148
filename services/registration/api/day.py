"""Endpoints of the day itself: who has come, and which encounters were held."""

from __future__ import annotations

import contextlib
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from services.registration.api.access import AskScheduler, CurrentDesk, PathId, is_id
from services.registration.api.bodies import body_of, takes
from services.registration.api.replies import reply
from services.registration.domain.day import AttendanceFacts
from services.registration.domain.participant import Participant
from services.registration.domain.things import NotFound, Refused
from services.registration.problems import rejections
from shared.contract.ids import Id
from shared.internal_api.edit_errors import ATTENDANCE_ERRORS

router = APIRouter(prefix="/editions/{edition_id}", tags=["the day"])


class Noted(BaseModel):
    """What came of a report of attendance."""

    gone: list[Id] = Field(description="Participants who are not taken to be at the venue any more.")
    refilled: list[Id] = Field(description="Encounters that were given the time or the table.")


@router.post("/participants/{participant_id}/check-in", response_model=Participant)
async def check_in(desk: CurrentDesk, edition_id: PathId, participant_id: PathId) -> Response:
    """Note that a participant is at the venue. Again is the same as once."""
    return reply(await desk.check_in(edition_id, participant_id, is_here=True))


@router.delete("/participants/{participant_id}/check-in", response_model=Participant)
async def undo_check_in(desk: CurrentDesk, edition_id: PathId, participant_id: PathId) -> Response:
    """Take a check-in back. Again is the same as once."""
    return reply(await desk.check_in(edition_id, participant_id, is_here=False))


@router.post(
    "/encounters/{encounter_id}/attendance",
    openapi_extra=takes(AttendanceFacts),
    responses=rejections(ATTENDANCE_ERRORS),
)
async def note_attendance(
    desk: CurrentDesk,
    scheduler: AskScheduler,
    edition_id: PathId,
    encounter_id: PathId,
    reported: Annotated[AttendanceFacts, body_of(AttendanceFacts)],
) -> Noted:
    """Note that an encounter was held, or was missed because somebody did not come.

    The time and the table of one that is missed are offered at once to those who wait, are checked in and free. Who is
    absent is checked out. Again is the same as once; another report corrects the one before, also after the close.
    """
    await desk.edition(edition_id)
    if not is_id(encounter_id):
        raise NotFound("there is no such encounter")
    path = f"/editions/{edition_id}/encounters/{encounter_id}/attendance"
    noted = Noted.model_validate(await scheduler.post(path, reported.model_dump(mode="json")))
    for participant_id in noted.gone:
        # Cancelled, or closed at this moment: then it does not matter who is here.
        with contextlib.suppress(NotFound, Refused):
            await desk.check_in(edition_id, participant_id, is_here=False)
    return noted
