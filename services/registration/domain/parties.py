"""Rules that organisations and participants share: both are active or cancelled, and can be erased."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Generic, TypeVar

from services.registration.domain.edition import Edition
from services.registration.domain.entity import Entity
from services.registration.domain.errors import Conflict, FieldError
from services.registration.domain.organisation import Organisation
from services.registration.domain.participant import COUNTERS, Participant
from shared.contract.events import Language, Phase, Status

AnyParty = TypeVar("AnyParty", Organisation, Participant)

#: Fields that an erasure leaves. It resets all others, so that a field added later is erased too.
KEPT_IN_ERASURE: Final[Mapping[type[Entity], frozenset[str]]] = {
    Organisation: frozenset(
        {"operator_id", "edition_id", "created_at", "changed_at", "revision", "organisation_id", "kind", "country"}
    ),
    Participant: frozenset(
        {"operator_id", "edition_id", "created_at", "changed_at", "revision", "participant_id", "organisation_id"}
        | {"session_ids", "checked_in"}
        | COUNTERS
    ),
}
#: Values that stand in the place of erased texts which an entity must have. Readers name an erased party themselves.
STAND_INS: Final[Mapping[type[Entity], Mapping[str, Any]]] = {
    Organisation: {"name": "Erased organisation"},
    Participant: {"name": "Erased participant", "email": "erased@erased.invalid", "languages": (Language.ENGLISH,)},
}


def must_not_be_erased(party: Organisation | Participant) -> None:
    """Raise `Conflict` if the organisation or participant was erased."""
    if party.erased_at is not None:
        raise Conflict(f"{party.NOUN} {party.id} was erased and stays so: register a new {party.NOUN}")


def must_not_be_merged(party: Organisation | Participant) -> None:
    """Raise `Conflict` if the organisation or participant was merged into a second one."""
    if party.merged_into is not None:
        raise Conflict(f"{party.NOUN} {party.id} was merged into {party.merged_into}: use that, or undo the merge")


def must_be_active(party: Organisation | Participant) -> None:
    """Raise `Conflict` if the organisation or participant is cancelled or erased."""
    must_not_be_erased(party)
    must_not_be_merged(party)
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
        Conflict: the edition is closed, or the party was merged and `fields` does not undo that.
    """
    if "merged_into" not in fields:
        must_not_be_merged(party)
    changed = party.changed(now, status=Status.ACTIVE, **fields)
    if changed is not party:
        edition.must_be_changeable()
    return changed


def erased(party: AnyParty, edition: Edition, now: datetime) -> AnyParty:
    """Return the party without its texts and choices; itself if it was erased already.

    The party is cancelled. In a closed edition its status stays, so that the encounters stay as they were.
    """
    if party.erased_at is not None:
        return party
    kept, stand_ins = KEPT_IN_ERASURE[type(party)], STAND_INS[type(party)]
    fields: dict[str, Any] = {
        name: stand_ins.get(name, field.get_default(call_default_factory=True))
        for name, field in type(party).model_fields.items()
        if name not in kept
    }
    status = party.status if edition.phase is Phase.CLOSED else Status.CANCELLED
    return party.changed(now, **{**fields, "status": status, "erased_at": now})


@dataclass(frozen=True)
class Reinstatement(Generic[AnyParty]):
    """A party that takes part again, and warnings about things that could not be given back."""

    party: AnyParty
    warnings: tuple[FieldError, ...] = ()
