"""Rules that organisations and participants share: both are active or cancelled."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from services.registration.domain.edition import Edition
from services.registration.domain.errors import Conflict, FieldError
from services.registration.domain.organisation import Organisation
from services.registration.domain.participant import Participant
from shared.contract.events import Status

AnyParty = TypeVar("AnyParty", Organisation, Participant)


def must_be_active(party: Organisation | Participant) -> None:
    """Raise `Conflict` if the organisation or participant is cancelled."""
    if party.status is not Status.ACTIVE:
        raise Conflict(f"{party.NOUN} {party.id} is cancelled: reinstate it first")


def cancelled(party: AnyParty, edition: Edition, now: datetime, **fields: object) -> AnyParty:
    """Return the party as cancelled; itself if it is cancelled already. Raises `Conflict` in a closed edition."""
    if party.status is Status.CANCELLED:
        return party
    edition.must_be_changeable()
    return party.changed(now, status=Status.CANCELLED, **fields)


def reinstated(party: AnyParty, edition: Edition, now: datetime, **fields: object) -> AnyParty:
    """Return the party as active, with these fields; itself if nothing differs.

    Raises:
        Conflict: the edition is closed.
    """
    changed = party.changed(now, status=Status.ACTIVE, **fields)
    if changed is not party:
        edition.must_be_changeable()
    return changed


@dataclass(frozen=True)
class Reinstatement(Generic[AnyParty]):
    """A party that takes part again, and warnings about things that could not be given back."""

    party: AnyParty
    warnings: tuple[FieldError, ...] = ()
