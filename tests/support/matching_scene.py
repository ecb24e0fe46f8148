"""The events of an edition, for all tests of matching."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.contract.events import EditionChanged, MatchRequestChanged, OrganisationChanged, ParticipantChanged, Profile

NOW = datetime(2018, 11, 22, 9, 0, tzinfo=UTC)


class Scene:
    """Makes the events of an edition; unnamed fields have defaults."""

    def common(self, **given: Any) -> dict[str, Any]:
        return {"operator_id": "opr", "edition_id": "ed1", "revision": 1, "occurred_at": NOW} | given

    def occurred(self, minutes: int) -> datetime:
        """A moment some minutes after the beginning."""
        return NOW + timedelta(minutes=minutes)

    def edition(self, **given: Any) -> EditionChanged:
        values = {"name": "B2B 2018", "timezone": "Europe/Madrid", "phase": "open", "slots": (), "zones": ()}
        return EditionChanged(**self.common(**values | given))

    def organisation(self, organisation_id: str, **given: Any) -> OrganisationChanged:
        values = {"organisation_id": organisation_id, "name": organisation_id, "kind": "sme", "country": "ES"}
        return OrganisationChanged(**self.common(**values | given))

    def participant(
        self, participant_id: str, offers: tuple[str, ...] = (), needs: tuple[str, ...] = (), **given: Any
    ) -> ParticipantChanged:
        """Of the organisation `org_<participant_id>`, unless said otherwise."""
        values = {
            "participant_id": participant_id,
            "organisation_id": f"org_{participant_id}",
            "name": participant_id,
            "email": f"{participant_id}@example.org",
            "languages": ("es",),
            "profile": Profile(offers=offers, needs=needs, codes=given.pop("codes", ())),
        }
        return ParticipantChanged(**self.common(**values | given))

    def request(
        self, request_id: str, requester_id: str, target_id: str | None = None, **given: Any
    ) -> MatchRequestChanged:
        values = {"request_id": request_id, "requester_id": requester_id, "target_id": target_id, "state": "requested"}
        return MatchRequestChanged(**self.common(**values | given))


@pytest.fixture(scope="session")
def scene() -> Scene:
    return Scene()


@pytest.fixture(scope="session")
def now() -> datetime:
    return NOW
