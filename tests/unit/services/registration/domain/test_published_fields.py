"""The events of registration publish every field of their documents."""

from __future__ import annotations

import pytest

from services.registration.domain.entity import Entity
from services.registration.domain.match_request import MatchRequest
from services.registration.domain.organisation import Organisation
from services.registration.domain.participant import Participant
from shared.contract.events import Event, MatchRequestChanged, OrganisationChanged, ParticipantChanged

#: Fields that are not published: times of registration, seats, the time at which a request expires, whether a
#: participant was cancelled with the organisation, the sessions that are waited for, which `waiting_since` names, the
#: calendar of the availability, the time of an erasure, which has an event of its own, and an address that nobody has
#: confirmed yet.
NOT_PUBLISHED = {
    "created_at",
    "changed_at",
    "seats",
    "expires_at",
    "cancelled_with_organisation",
    "waiting_session_ids",
    "calendar",
    "erased_at",
    "pending_address",
}


@pytest.mark.parametrize(
    ("kind", "event"),
    [(Organisation, OrganisationChanged), (Participant, ParticipantChanged), (MatchRequest, MatchRequestChanged)],
)
def test_every_field_is_published(kind: type[Entity], event: type[Event]) -> None:
    assert set(kind.model_fields) - NOT_PUBLISHED == set(event.model_fields) - {
        "occurred_at",
        "preview_token",
        "actor",
        "changed",
    }
