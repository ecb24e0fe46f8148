"""Rules that organisations and participants share: both are active or cancelled."""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

from services.registration.domain.edition import Edition
from services.registration.domain.errors import Conflict
from services.registration.domain.organisation import Organisation
from services.registration.domain.participant import Participant
from shared.contract.events import Status

AnyParty = TypeVar("AnyParty", Organisation, Participant)


def must_be_active(party: Organisation | Participant) -> None:
    """Raise `Conflict` if the organisation or participant is cancelled."""
    if party.status is not Status.ACTIVE:
        raise Conflict(f"{party.NOUN} {party.id} is cancelled")


def cancelled(party: AnyParty, edition: Edition, now: datetime) -> AnyParty:
    """Return the party as cancelled; itself if it is cancelled already. Raises `Conflict` in a closed edition."""
    changed = party.changed(now, status=Status.CANCELLED)
    if changed is not party:
        edition.must_be_changeable()
    return changed
