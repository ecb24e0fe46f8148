"""The events of a made-up edition under ids of their own: two editions of an installation have none in common."""

from __future__ import annotations

from functools import partial

from shared.events import AffinityScored, EditionChanged, Event, OrganisationChanged, ParticipantChanged
from shared.ids import derived_id, pair_id, pair_of


def renamed(event: Event, number: int) -> Event:
    """The event as one of the edition with this number: ids as long as they are in production, and as unique."""
    edition_id = derived_id("edn", str(number))
    its = partial(derived_id, "bench", edition_id)
    news: dict[str, object] = {}
    match event:
        case EditionChanged():
            sessions = (each.model_copy(update={"session_id": its(each.session_id)}) for each in event.sessions)
            news = {"sessions": tuple(sessions)}
        case OrganisationChanged():
            news = {"organisation_id": its(event.organisation_id)}
        case ParticipantChanged():
            news = {
                "participant_id": its(event.participant_id),
                "organisation_id": its(event.organisation_id),
                "session_ids": tuple(map(its, event.session_ids)),
            }
        case AffinityScored():
            one, other = pair_of(*map(its, event.participant_ids))
            news = {
                "participant_ids": (one, other),
                "pair_id": pair_id(edition_id, one, other),
                "request_ids": tuple(its(event.pair_id, each) for each in event.request_ids),
            }
    return event.model_copy(update={"edition_id": edition_id, **news})
