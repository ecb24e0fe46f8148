"""Endpoints of participants."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response

from services.registration.api.access import (
    After,
    CurrentService,
    Gate,
    IdempotencyKey,
    IfMatch,
    Limit,
    OptionalIfMatch,
    PathId,
)
from services.registration.api.bodies import PatchBody, body_docs, body_of, patch_docs
from services.registration.api.replies import (
    Page,
    Warned,
    WarnedParticipant,
    created,
    outcome,
    page,
    reply,
    tried_or,
    warned,
)
from services.registration.api.rights import needs
from services.registration.api.search import ParticipantSearch, found_in
from services.registration.domain.participant import Participant, ParticipantFacts, ReplacementFacts
from shared.access import Action

router = APIRouter(prefix="/editions/{edition_id}/participants", tags=["participants"])


class ReinstatedParticipant(Participant, Warned):
    """A participant that takes part again."""


@router.post("", status_code=201, response_model=WarnedParticipant, openapi_extra=body_docs(ParticipantFacts))
@needs(Action.REGISTER)
async def register_participant(
    request: Request,
    service: CurrentService,
    edition_id: PathId,
    facts: Annotated[ParticipantFacts, body_of(ParticipantFacts)],
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Register a participant of an active organisation. The e-mail address is unique in the edition, in any case.

    A participant of a full session waits in its line: `waiting_session_ids`, and a warning with the place.
    """
    return await created(service, await service.participants.register(edition_id, facts, idempotency_key), request)


@router.get("", response_model=Page[Participant])
@needs(Action.READ_PARTICIPANTS)
async def list_participants(
    request: Request,
    service: CurrentService,
    edition_id: PathId,
    search: ParticipantSearch,
    limit: Limit = 100,
    after: After = None,
) -> Response:
    """List the participants of the edition, by id, also the cancelled: all, or the results of a search."""
    return page(await found_in(service, Participant, edition_id, search, after, limit + 1), limit, request)


@router.get("/{participant_id}", response_model=Participant)
@needs(Action.READ_PARTICIPANTS)
async def get_participant(service: CurrentService, edition_id: PathId, participant_id: PathId) -> Response:
    """Return a participant."""
    return reply(await service.get(Participant, edition_id, participant_id))


@router.patch("/{participant_id}", responses=tried_or(WarnedParticipant), openapi_extra=patch_docs(ParticipantFacts))
@needs(Action.CHANGE_PARTIES)
async def amend_participant(
    service: CurrentService,
    edition_id: PathId,
    participant_id: PathId,
    revisions: IfMatch,
    patch: PatchBody,
    gate: Gate,
) -> Response:
    """Change a participant. With `organisation_id` the participant moves to another organisation.

    After a move, `warnings` names the requests with people of the new organisation: colleagues have no encounter.

    Another person takes the participant's place if the patch names `name`, `email`, `languages`, `profile`,
    `job_title`, `phone` and `external_id`. The id, the match requests and the agenda stay. So do all fields that the
    patch does not name: send all fields of the person anew.
    """
    participant = await service.participants.amend(edition_id, participant_id, patch, revisions)
    colleagues = await service.moves.colleagues(participant) if "organisation_id" in patch else ()
    return await outcome(service, gate, participant, colleagues)


@router.post("/{participant_id}/cancellation", responses=tried_or(WarnedParticipant))
@needs(Action.CHANGE_PARTIES)
async def cancel_participant(
    service: CurrentService, edition_id: PathId, participant_id: PathId, gate: Gate
) -> Response:
    """Cancel a participant. A repeated request changes nothing."""
    return await outcome(service, gate, await service.participants.cancel(edition_id, participant_id))


@router.post(
    "/{participant_id}/replacement", responses=tried_or(WarnedParticipant), openapi_extra=body_docs(ReplacementFacts)
)
@needs(Action.CHANGE_PARTIES)
async def replace_participant(
    service: CurrentService,
    edition_id: PathId,
    participant_id: PathId,
    revisions: OptionalIfMatch,
    facts: Annotated[ReplacementFacts, body_of(ReplacementFacts)],
    gate: Gate,
) -> Response:
    """Give a participant's place to another person: the id, the match requests, the sessions and the agenda stay.

    Both are told by the next mails: the person before of the cancellation, the successor of the agenda. Links of the
    person before end. A repeated request changes nothing.
    """
    patch = facts.patch()
    return await outcome(service, gate, await service.participants.amend(edition_id, participant_id, patch, revisions))


@router.post("/{participant_id}/links/revocation", response_model=Participant)
@needs(Action.REVOKE_LINKS)
async def revoke_links(service: CurrentService, edition_id: PathId, participant_id: PathId) -> Response:
    """End the links to the participant's calendar feed and page, for a link that has fallen into other hands.

    The next mail has new links. A repeated request ends those as well.
    """
    return reply(await service.participants.revoke_links(edition_id, participant_id))


@router.post("/{participant_id}/reinstatement", responses=tried_or(ReinstatedParticipant))
@needs(Action.CHANGE_PARTIES)
async def reinstate_participant(
    service: CurrentService, edition_id: PathId, participant_id: PathId, gate: Gate
) -> Response:
    """Have a cancelled participant take part again: the same id, requests and sessions. A repeat changes nothing.

    `warnings` names each session that is full meanwhile: the participant waits in its line. The answer is 409 if the
    organisation is cancelled, or another participant has the address now.
    """
    back = await service.participants.reinstate(edition_id, participant_id)
    if gate.dry_run:
        return await outcome(service, gate, back.party)
    return warned(ReinstatedParticipant, back.party, (*back.warnings, *await service.warnings(back.party)))
