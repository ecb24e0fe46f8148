"""The events of a made-up edition under ids of its own: two editions of an installation have none in common."""

from __future__ import annotations

from functools import cache, partial

from shared.contract.events import AffinityScored, EditionChanged, Event, OrganisationChanged, ParticipantChanged
from shared.contract.ids import derived_id, pair_id, pair_of


def edition_of(number: int) -> str:
    """The id of the edition with this number."""
    return derived_id("edn", str(number))


@cache
def _stem(name: str) -> str:
    return derived_id("bench", name)[:-12]


def its(number: int, name: str) -> str:
    """What is called so in the edition with this number: as long as ids are, and in the same order in all editions."""
    return f"{_stem(name)}{number:012x}"


def renamed(event: Event, number: int) -> Event:
    """The event as one of the edition with this number."""
    edition_id, mine = edition_of(number), partial(its, number)
    news: dict[str, object] = {}
    match event:
        case EditionChanged():
            sessions = (each.model_copy(update={"session_id": mine(each.session_id)}) for each in event.sessions)
            news = {"sessions": tuple(sessions)}
        case OrganisationChanged():
            news = {"organisation_id": mine(event.organisation_id)}
        case ParticipantChanged():
            news = {
                "participant_id": mine(event.participant_id),
                "organisation_id": mine(event.organisation_id),
                "session_ids": tuple(map(mine, event.session_ids)),
            }
        case AffinityScored():
            one, other = pair_of(*map(mine, event.participant_ids))
            news = {"participant_ids": (one, other), "pair_id": pair_id(edition_id, one, other)}
            news["request_ids"] = tuple(mine(f"{event.pair_id} {each}") for each in event.request_ids)
    return event.model_copy(update={"edition_id": edition_id, **news})
