"""Endpoints of a participant's consents."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Response

from services.registration.api.access import CurrentService, PathId
from services.registration.api.bodies import body_docs, body_of
from services.registration.api.replies import reply
from services.registration.api.rights import needs
from services.registration.domain.consents import ConsentFacts
from services.registration.domain.participant import Participant
from services.registration.use_cases.consents import ConsentService
from shared.access import Action

router = APIRouter(prefix="/editions/{edition_id}/participants/{participant_id}/consents/{subject}", tags=["privacy"])


@router.put("", response_model=Participant, openapi_extra=body_docs(ConsentFacts))
@needs(Action.CHANGE_CONSENTS)
async def put_consent(
    service: CurrentService,
    edition_id: PathId,
    participant_id: PathId,
    subject: PathId,
    facts: Annotated[ConsentFacts, body_of(ConsentFacts)],
) -> Response:
    """Record that a participant has granted or refused `listed` or `contact`: time, text and author are kept.

    A repeated answer to the same text changes nothing. Another person in the participant's place is to be asked anew.
    """
    return reply(await ConsentService(service).record(edition_id, participant_id, subject, facts))


@router.delete("", response_model=Participant)
@needs(Action.CHANGE_CONSENTS)
async def withdraw_consent(
    service: CurrentService, edition_id: PathId, participant_id: PathId, subject: PathId
) -> Response:
    """Record that a participant has withdrawn a consent. It holds at once, in a closed edition too."""
    return reply(await ConsentService(service).record(edition_id, participant_id, subject, None))
