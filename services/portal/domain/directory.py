"""People and requests of an edition, as organisers list them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from services.portal.domain.people import ShownPerson, plain, shown_person
from services.portal.domain.picture import EditionPicture
from shared.contract.events import RequestState, Status

_MOST = 100


@dataclass(frozen=True)
class ListedPerson:
    """A person in a list, with the number of encounters in the agenda."""

    person: ShownPerson
    email: str
    is_active: bool
    entries: int


@dataclass(frozen=True)
class WaitingRequest:
    """A request that waits for the answer of its target."""

    request_id: str
    requester: ShownPerson
    target: ShownPerson
    since: datetime


def listed_people(picture: EditionPicture, words: str) -> tuple[ListedPerson, ...]:
    """Return at most 100 people whose name, organisation or address has all words, by name."""
    wanted, found = plain(words).split(), []
    for participant in picture.participants.values():
        shown = shown_person(picture, participant.participant_id)
        text = plain(f"{shown.name} {shown.organisation} {participant.email} {participant.participant_id}")
        if all(word in text for word in wanted):
            agenda = picture.agendas.get(participant.participant_id)
            is_active, entries = participant.status is Status.ACTIVE, len(agenda.entries) if agenda else 0
            found.append(ListedPerson(shown, participant.email, is_active, entries))
    return tuple(sorted(found, key=lambda listed: plain(listed.person.name)))[:_MOST]


def waiting_requests(picture: EditionPicture) -> tuple[WaitingRequest, ...]:
    """Return the unanswered requests to a person, the oldest first."""
    found = [
        WaitingRequest(
            request.request_id,
            shown_person(picture, request.requester_id),
            shown_person(picture, request.target_id),
            request.occurred_at,
        )
        for request in picture.requests.values()
        if request.state is RequestState.REQUESTED and request.target_id
    ]
    return tuple(sorted(found, key=lambda waiting: waiting.since))[:_MOST]
