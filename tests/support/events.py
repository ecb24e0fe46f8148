"""Builder of valid events of an edition: a test passes only the fields that it is about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.contract.events import (
    AffinityScored,
    EditionChanged,
    MatchRequestChanged,
    OrganisationChanged,
    ParticipantChanged,
)
from shared.contract.ids import pair_id, pair_of


@dataclass(frozen=True)
class EventBuilder:
    """Builds events at revision 1. Keyword arguments replace any default field."""

    operator_id: str
    edition_id: str
    occurred_at: datetime

    def common(self, **fields: Any) -> dict[str, Any]:
        """Return the fields of all events."""
        ids = {"operator_id": self.operator_id, "edition_id": self.edition_id}
        return {**ids, "revision": 1, "occurred_at": self.occurred_at, **fields}

    def edition(self, **fields: Any) -> EditionChanged:
        """Build an open edition without slots and zones."""
        defaults = {"name": "B2B", "timezone": "Europe/Madrid", "phase": "open", "slots": (), "zones": ()}
        return EditionChanged(**self.common(**defaults | fields))

    def organisation(self, organisation_id: str, **fields: Any) -> OrganisationChanged:
        """Build a Spanish company with its id as name."""
        defaults = {"organisation_id": organisation_id, "name": organisation_id, "kind": "sme", "country": "ES"}
        return OrganisationChanged(**self.common(**defaults | fields))

    def participant(self, participant_id: str, **fields: Any) -> ParticipantChanged:
        """Build a participant of the organisation `org_<participant_id>`, with the id as name."""
        defaults = {
            "participant_id": participant_id,
            "organisation_id": f"org_{participant_id}",
            "name": participant_id,
            "email": f"{participant_id}@example.org",
            "languages": ("es",),
        }
        return ParticipantChanged(**self.common(**defaults | fields))

    def request(
        self, request_id: str, requester_id: str, target_id: str | None = None, **fields: Any
    ) -> MatchRequestChanged:
        """Build a match request without an answer; without a target it is an open request."""
        ids = {"request_id": request_id, "requester_id": requester_id, "target_id": target_id}
        return MatchRequestChanged(**self.common(**ids | {"state": "requested"} | fields))

    def affinity(self, requester_id: str, target_id: str, **fields: Any) -> AffinityScored:
        """Build the affinity of two participants with consent."""
        defaults = {
            "pair_id": pair_id(self.edition_id, requester_id, target_id),
            "participant_ids": pair_of(requester_id, target_id),
            "request_ids": ("req",),
            "origin": "requested",
            "consent": "granted",
            "score": 0.5,
            "priority": 2,
        }
        return AffinityScored(**self.common(**defaults | fields))
