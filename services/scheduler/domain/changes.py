"""What can happen to an edition's state: the entries of its journal are lists of these."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from services.scheduler.domain.snapshots import (
    Attended,
    EditMade,
    Known,
    KnownOrganisation,
    KnownPair,
    KnownParticipant,
    ToldAgenda,
    ToldEncounter,
)
from shared.contract.events import Cause, Certificate, EditionChanged, Place, WaitingReason


class EditionTaken(Known):
    """The edition is now so."""

    type: Literal["edition_taken"] = "edition_taken"
    edition: EditionChanged


class OrganisationTaken(Known):
    """An organisation is now so."""

    type: Literal["organisation_taken"] = "organisation_taken"
    organisation_id: str
    organisation: KnownOrganisation


class ParticipantTaken(Known):
    """A participant is now so."""

    type: Literal["participant_taken"] = "participant_taken"
    participant_id: str
    participant: KnownParticipant


class PairTaken(Known):
    """A pair is now so."""

    type: Literal["pair_taken"] = "pair_taken"
    operator_id: str
    pair_id: str
    pair: KnownPair


class Placed(Known):
    """An encounter has this place, and no other any more."""

    type: Literal["placed"] = "placed"
    pair_id: str
    place: Place
    cause: Cause


class Lifted(Known):
    """An encounter has no place any more."""

    type: Literal["lifted"] = "lifted"
    pair_id: str
    cause: Cause


class Waits(Known):
    """An encounter that is wanted has no place, and why; `None`: it is not wanted any more."""

    type: Literal["waits"] = "waits"
    pair_id: str
    reason: WaitingReason | None
    cause: Cause


class Locked(Known):
    """An encounter is locked, or is not any more."""

    type: Literal["locked"] = "locked"
    pair_id: str
    is_locked: bool


class Ordered(Known):
    """An encounter has to come after those of exactly these pairs, sorted."""

    type: Literal["ordered"] = "ordered"
    pair_id: str
    comes_after: tuple[str, ...]


class TakenOver(Known):
    """These meet now: another representative has taken the encounter over, or a guest has joined it or left.

    `people` are the two, sorted, then their guests, sorted.
    """

    type: Literal["taken_over"] = "taken_over"
    pair_id: str
    people: tuple[str, ...]
    cause: Cause


class AttendanceNoted(Known):
    """An encounter was held or missed; one that was missed takes nobody's time and no table any more.

    `gone_ids` are not at the venue after all.
    """

    type: Literal["attendance_noted"] = "attendance_noted"
    pair_id: str
    attended: Attended
    gone_ids: tuple[str, ...] = ()
    cause: Cause


class Edited(Known):
    """The changes before this one, of the same entry, are an edit by hand."""

    type: Literal["edited"] = "edited"
    made: EditMade


class Undone(Known):
    """The changes before this one, of the same entry, take back the last edit by hand."""

    type: Literal["undone"] = "undone"


class AgendaTouched(Known):
    """A participant's agenda may read differently though no encounter of it moved: a session, a partner's party."""

    type: Literal["agenda_touched"] = "agenda_touched"
    participant_id: str
    cause: Cause


class Announced(Known):
    """The agendas are no longer provisional."""

    type: Literal["announced"] = "announced"
    cause: Cause


class Improved(Known):
    """The agenda for the inputs up to `version` was improved as far as it goes."""

    type: Literal["improved"] = "improved"
    version: int
    certificate: Certificate | None


class Told(Known):
    """What is published with this entry, and whose changes are thereby told (or came to nothing)."""

    type: Literal["told"] = "told"
    encounters: dict[str, ToldEncounter]
    agendas: dict[str, ToldAgenda]
    pairs: tuple[str, ...]
    participants: tuple[str, ...]


Change = Annotated[
    EditionTaken
    | OrganisationTaken
    | ParticipantTaken
    | PairTaken
    | Placed
    | Lifted
    | Waits
    | Locked
    | Ordered
    | TakenOver
    | AttendanceNoted
    | Edited
    | Undone
    | AgendaTouched
    | Announced
    | Improved
    | Told,
    Field(discriminator="type"),
]
CHANGE: TypeAdapter[Change] = TypeAdapter(Change)
