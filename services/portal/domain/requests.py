"""A participant's match requests, as pages show them: to answer, sent, and ended."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from services.portal.domain.meeting import person_read_by
from services.portal.domain.people import ShownPerson
from services.portal.domain.picture import EditionPicture
from shared.contract.events import EncounterState, MatchRequestChanged, RequestState


@dataclass(frozen=True)
class ShownRequest:
    """A match request, with its partner and the state of its encounter; `other` is None for an open request."""

    request_id: str
    revision: int
    other: ShownPerson | None
    state: RequestState
    encounter: EncounterState | None
    priority: int
    changed_at: datetime


@dataclass(frozen=True)
class ShownRequests:
    """The requests of a participant, newest first."""

    to_answer: tuple[ShownRequest, ...]
    sent: tuple[ShownRequest, ...]
    received: tuple[ShownRequest, ...]


def shown_requests(picture: EditionPicture, participant_id: str) -> ShownRequests:
    """Return the requests that a participant has to answer, has sent, and has received and answered."""
    found = sorted(picture.requests_of(participant_id), key=lambda request: request.occurred_at, reverse=True)
    states = _encounter_states(picture)
    sent = [request for request in found if request.requester_id == participant_id]
    received = [request for request in found if request.requester_id != participant_id]
    return ShownRequests(
        to_answer=tuple(
            _shown(picture, request, participant_id, request.requester_id, states)
            for request in received
            if request.state is RequestState.REQUESTED
        ),
        sent=tuple(_shown(picture, request, participant_id, request.target_id, states) for request in sent),
        received=tuple(
            _shown(picture, request, participant_id, request.requester_id, states)
            for request in received
            if request.state is not RequestState.REQUESTED
        ),
    )


def _shown(
    picture: EditionPicture,
    request: MatchRequestChanged,
    reader_id: str,
    other_id: str | None,
    states: dict[str, EncounterState],
) -> ShownRequest:
    return ShownRequest(
        request_id=request.request_id,
        revision=request.revision,
        other=person_read_by(picture, reader_id, other_id) if other_id else None,
        state=request.state,
        encounter=states.get(request.request_id),
        priority=request.priority,
        changed_at=request.occurred_at,
    )


def _encounter_states(picture: EditionPicture) -> dict[str, EncounterState]:
    return {
        request_id: encounter.state for encounter in picture.encounters.values() for request_id in encounter.request_ids
    }


def ending_answers(picture: EditionPicture, participant_id: str, partner_ids: Collection[str]) -> list[tuple[str, str]]:
    """Return the requests between a participant and partners, with the answer that ends the request."""
    found = []
    for request in picture.requests_of(participant_id):
        is_own = request.requester_id == participant_id
        if (request.target_id if is_own else request.requester_id) not in partner_ids:
            continue
        if request.state is RequestState.ACCEPTED:
            found.append((request.request_id, "withdrawal" if is_own else "retraction"))
        elif request.state is RequestState.REQUESTED:
            found.append((request.request_id, "withdrawal" if is_own else "refusal"))
    return found
