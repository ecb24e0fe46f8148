"""Events of an edition for the tests of matching."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.contract.events import ParticipantChanged, Profile
from tests.support.events import EventBuilder

NOW = datetime(2018, 11, 22, 9, 0, tzinfo=UTC)


class Scene(EventBuilder):
    """Builds events of an edition; participants have offers and needs."""

    def occurred(self, minutes: int) -> datetime:
        """Return the time some minutes after the first event."""
        return NOW + timedelta(minutes=minutes)

    def participant(
        self, participant_id: str, offers: tuple[str, ...] = (), needs: tuple[str, ...] = (), **fields: Any
    ) -> ParticipantChanged:
        """Build a participant of the organisation `org_<participant_id>` with a profile."""
        profile = Profile(offers=offers, needs=needs, codes=fields.pop("codes", ()))
        return super().participant(participant_id, **{"profile": profile, **fields})


@pytest.fixture(scope="session")
def scene() -> Scene:
    return Scene("opr", "ed1", NOW)


@pytest.fixture(scope="session")
def now() -> datetime:
    return NOW
