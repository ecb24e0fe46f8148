"""The endpoint of affinities, answered by matching."""

from __future__ import annotations

from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path
from pydantic import Field

from services.registration.api.access import CurrentService, MatchingClient, PathId, SchedulerClient
from services.registration.api.agenda import concerned_by, remedy_of
from services.registration.api.rights import needs
from services.registration.domain.participant import Participant
from services.registration.internal_clients import InternalClient, ServiceDeclined, ServiceUnavailable
from shared.access import Action
from shared.contract.events import Consent, Remedy
from shared.contract.ids import encounter_id
from shared.contract.reason_sentences import ReasonGrounds, reason_lines
from shared.internal_api.pairs import Hindrance, PairAnswer
from shared.internal_api.remedies import EncounterRemedy, describe

router = APIRouter(prefix="/editions/{edition_id}/affinities", tags=["affinities"])


class PairView(PairAnswer):
    """A pair in the view of matching. Its encounter, and the remedy if that waits, are the scheduler's."""

    encounter_id: str | None = Field(description="Null without an encounter, or while the scheduler does not answer.")
    remedy: Remedy | None = Field(description="The smallest change found that would place the waiting encounter.")
    told: dict[str, str] = Field(
        description="The reason to meet by participant id: a line from that participant's side and in their language, "
        "as in their mail; empty without a reason worth reading. Left out for callers who see no profiles."
    )
    text: str = Field(description="The reason to wait and the remedy in English sentences; empty if it does not wait.")


@router.get("/{one}/{other}")
@needs(Action.PLAN_AGENDA)
async def explain(
    service: CurrentService,
    matching: MatchingClient,
    scheduler: SchedulerClient,
    edition_id: PathId,
    first_id: Annotated[str, Path(alias="one", max_length=1000)],
    second_id: Annotated[str, Path(alias="other", max_length=1000)],
) -> PairView:
    """Explain the affinity of two participants: its score, its reasons, and the obstacles to an encounter.

    The reason of a waiting encounter is the scheduler's present reason, as in the list of encounters, with its remedy.
    """
    for participant_id in (first_id, second_id):
        await service.get(Participant, edition_id, participant_id)
    path = f"/editions/{edition_id}/affinities/{first_id}/{second_id}"
    answer = PairAnswer.model_validate(await matching.get(path))
    sides = await service.participants.sides(edition_id, answer.participant_ids)
    told = reason_lines(_grounds(answer), sides)
    found = await _encounter_of(scheduler, edition_id, answer)
    if found is None:
        return PairView(**dict(answer), encounter_id=None, remedy=None, told=told, text="")
    edition = await service.editions.get(edition_id)
    names = await service.participants.names(edition_id, concerned_by(found))
    reason = found.encounter.waiting_reason
    return PairView(
        **{**dict(answer), "hindrances": (Hindrance(reason.value),) if reason else ()},
        encounter_id=found.encounter.encounter_id,
        remedy=found.remedy,
        told=told,
        text=describe(found.encounter.waiting_reason, found.remedy, names, ZoneInfo(edition.timezone)),
    )


def _grounds(answer: PairAnswer) -> ReasonGrounds:
    return ReasonGrounds(answer.participant_ids, answer.reasons, bool(answer.requested_by), answer.requested_by)


async def _encounter_of(scheduler: InternalClient, edition_id: str, answer: PairAnswer) -> EncounterRemedy | None:
    """Return the encounter of a pair that consents; `None` if the scheduler has none yet, or does not answer."""
    if answer.consent is not Consent.GRANTED:
        return None
    try:
        return await remedy_of(scheduler, edition_id, encounter_id(edition_id, *answer.participant_ids))
    except (ServiceDeclined, ServiceUnavailable):
        return None
