"""The public part of events: the fields that a change feed tells. Names and texts of people stay out.

Feeds keep no personal data, so that an erasure need not reach them. Registration joins the names of today, for readers
with the right to see names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from shared.contract.events import (
    AgendaChanged,
    EditionChanged,
    EncounterChanged,
    Event,
    MatchRequestChanged,
    OrganisationChanged,
    OrganisationErased,
    ParticipantChanged,
    ParticipantErased,
)

_OF_ALL: Final = frozenset({"operator_id", "edition_id", "revision", "occurred_at"})
_OF_AUTHORED: Final = _OF_ALL | {"actor", "changed"}
#: Told fields of events whose further fields are personal, or of use to our own services only.
_TOLD: Final[Mapping[type[Event], frozenset[str]]] = {
    OrganisationChanged: _OF_AUTHORED
    | {"organisation_id", "kind", "country", "region", "delegation", "codes", "status", "merged_into"},
    ParticipantChanged: _OF_AUTHORED
    | {
        "participant_id",
        "organisation_id",
        "languages",
        "available",
        "session_ids",
        "waiting_since",
        "status",
        "merged_into",
        "checked_in",
        "person",
    },
}
#: Fields left out of events that are told otherwise whole.
_LEFT_OUT: Final[Mapping[type[Event], frozenset[str]]] = {
    EditionChanged: frozenset({"contact", "preview_token"}),
    ParticipantErased: frozenset({"links"}),
    OrganisationErased: frozenset(),
    MatchRequestChanged: frozenset(),
    AgendaChanged: frozenset(),
    EncounterChanged: frozenset(),
}
#: The events of a change feed.
FED: Final = (*_TOLD, *_LEFT_OUT)


def public_part(event: Event) -> dict[str, Any] | None:
    """Return the told fields of an event as JSON values; None for an event that feeds do not have."""
    kind = type(event)
    if kind in _TOLD:
        return event.model_dump(mode="json", include=set(_TOLD[kind]))
    if kind in _LEFT_OUT:
        return event.model_dump(mode="json", exclude=set(_LEFT_OUT[kind]))
    return None
