"""Endpoints with which participants change their own facts, and find people to meet: by the link of a mail."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from services.registration.api.access import CurrentService, Gate, IfMatch, MatchingClient, PathId
from services.registration.api.bodies import PatchBody, body_docs, body_of, patch_docs
from services.registration.api.replies import WarnedParticipant, outcome, tried_or
from services.registration.api.rights import needs
from services.registration.domain.errors import FieldError, Invalid
from services.registration.domain.participant import Participant, ParticipantFacts
from services.registration.domain.profile_text import ProfileTextFacts
from shared.access import Action
from shared.contract.ids import Id, pair_of
from shared.contract.reason_sentences import ReasonGrounds, reason_line
from shared.internal_api.pairs import CandidatePartner
from shared.internal_api.profile_help import ProfileSuggestions

router = APIRouter(prefix="/editions/{edition_id}/participants/{participant_id}", tags=["own facts"])

#: Fields that a participant may change. The name and the address say who it is: the organiser corrects them.
OWN_FIELDS: Final = frozenset(
    {"profile", "languages", "available", "session_ids", "waiting_session_ids", "job_title", "phone", "declined_ids"}
)


class Candidates(BaseModel):
    """Participants whom a participant might meet, best first."""

    items: list[CandidatePartner]
    told: dict[Id, str] = Field(
        description="The reason to meet by partner, in the participant's language; empty without one worth reading."
    )


@router.patch("/own", responses=tried_or(WarnedParticipant), openapi_extra=patch_docs(ParticipantFacts))
@needs(Action.CHANGE_OWN_FACTS)
async def change_own_facts(
    service: CurrentService,
    edition_id: PathId,
    participant_id: PathId,
    revisions: IfMatch,
    patch: PatchBody,
    gate: Gate,
) -> Response:
    """Change profile, languages, availability, sessions, job title, telephone number or declined partners.

    As `PATCH .../participants/{participant_id}`, for the participant: other fields are refused.
    """
    refused = [FieldError(f"/{name}", "the organiser changes this field") for name in sorted({*patch} - OWN_FIELDS)]
    if refused:
        raise Invalid(*refused)
    return await outcome(service, gate, await service.participants.amend(edition_id, participant_id, patch, revisions))


@router.post("/profile-help", openapi_extra=body_docs(ProfileTextFacts))
@needs(Action.CHANGE_OWN_FACTS)
async def help_with_own_profile(
    service: CurrentService,
    matching: MatchingClient,
    edition_id: PathId,
    participant_id: PathId,
    asked: Annotated[ProfileTextFacts, body_of(ProfileTextFacts)],
) -> ProfileSuggestions:
    """Suggest needs, offers and codes for the participant's text, as `POST /profile-help`. Nothing is stored."""
    await service.get(Participant, edition_id, participant_id)
    return ProfileSuggestions.model_validate(await matching.post("/profile-help", dict(asked)))


@router.get("/candidates")
@needs(Action.ACT_ON_OWN_REQUESTS)
async def list_candidates(
    service: CurrentService,
    matching: MatchingClient,
    edition_id: PathId,
    participant_id: PathId,
    limit: Annotated[int, Query(ge=1, le=50, description="Most items.")] = 20,
) -> Candidates:
    """List the participants who fit best and whom the participant has not been asked, and has not asked, to meet."""
    own = await service.get(Participant, edition_id, participant_id)
    path = f"/editions/{edition_id}/participants/{own.id}/candidates"
    answer = await matching.get(path, {"limit": str(limit)})
    items = [CandidatePartner.model_validate(item) for item in answer["items"]]
    sides = await service.participants.sides(edition_id, (own.id, *(item.participant_id for item in items)))
    reader = sides.get(own.id)
    told = {
        item.participant_id: reason_line(_grounds(own.id, item), reader, sides[item.participant_id])
        for item in items
        if reader and item.participant_id in sides
    }
    return Candidates(items=items, told=told)


def _grounds(own_id: str, candidate: CandidatePartner) -> ReasonGrounds:
    return ReasonGrounds(pair_of(own_id, candidate.participant_id), candidate.reasons, requested=False, requested_by=())
