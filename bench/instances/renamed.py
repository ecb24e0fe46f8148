"""The events of a synthetic edition under ids of its own, since two editions share no ids."""

from __future__ import annotations

from functools import cache, partial

from shared.contract.events import AffinityScored, EditionChanged, Event, OrganisationChanged, ParticipantChanged
from shared.contract.ids import derived_id, pair_id, pair_of


def edition_of(number: int) -> str:
    """Return the id of the edition with this number."""
    return derived_id("edn", str(number))


@cache
def _stem(name: str) -> str:
    return derived_id("bench", name)[:-12]


def renamed_id(number: int, name: str) -> str:
    """Return the id of a name in an edition: as long as real ids, and ordered alike in all editions."""
    return f"{_stem(name)}{number:012x}"


def renamed(event: Event, number: int) -> Event:
    """Return the event with the ids of the edition with this number."""
    edition_id, mine = edition_of(number), partial(renamed_id, number)
    update: dict[str, object] = {}
    match event:
        case EditionChanged():
            sessions = (
                session.model_copy(update={"session_id": mine(session.session_id)}) for session in event.sessions
            )
            update = {"sessions": tuple(sessions)}
        case OrganisationChanged():
            update = {"organisation_id": mine(event.organisation_id)}
        case ParticipantChanged():
            update = {
                "participant_id": mine(event.participant_id),
                "organisation_id": mine(event.organisation_id),
                "session_ids": tuple(map(mine, event.session_ids)),
            }
        case AffinityScored():
            first, second = pair_of(*map(mine, event.participant_ids))
            update = {"participant_ids": (first, second), "pair_id": pair_id(edition_id, first, second)}
            update["request_ids"] = tuple(mine(f"{event.pair_id} {request_id}") for request_id in event.request_ids)
    return event.model_copy(update={"edition_id": edition_id, **update})
