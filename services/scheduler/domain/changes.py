"""What can happen to an edition's state: the entries of its journal are lists of these."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from services.scheduler.domain.snapshots import (
    AppliedEdit,
    AttendanceSnapshot,
    OrganisationSnapshot,
    PairSnapshot,
    ParticipantSnapshot,
    PublishedAgenda,
    PublishedEncounter,
    Snapshot,
)
from shared.contract.events import Cause, Certificate, EditionChanged, Place, WaitingReason


class EditionRecorded(Snapshot):
    """The edition is now so."""

    type: Literal["edition_taken"] = "edition_taken"
    edition: EditionChanged


class OrganisationRecorded(Snapshot):
    """An organisation is now so."""

    type: Literal["organisation_taken"] = "organisation_taken"
    organisation_id: str
    organisation: OrganisationSnapshot


class ParticipantRecorded(Snapshot):
    """A participant is now so."""

    type: Literal["participant_taken"] = "participant_taken"
    participant_id: str
    participant: ParticipantSnapshot


class PairRecorded(Snapshot):
    """A pair is now so."""

    type: Literal["pair_taken"] = "pair_taken"
    operator_id: str
    pair_id: str
    pair: PairSnapshot


class Placed(Snapshot):
    """An encounter has this place, and no other any more."""

    type: Literal["placed"] = "placed"
    pair_id: str
    place: Place
    cause: Cause


class Removed(Snapshot):
    """An encounter has no place any more."""

    type: Literal["lifted"] = "lifted"
    pair_id: str
    cause: Cause


class Waits(Snapshot):
    """An encounter that is wanted has no place, and why; `None`: it is not wanted any more."""

    type: Literal["waits"] = "waits"
    pair_id: str
    reason: WaitingReason | None
    cause: Cause


class Locked(Snapshot):
    """An encounter is locked, or is not any more."""

    type: Literal["locked"] = "locked"
    pair_id: str
    is_locked: bool


class Ordered(Snapshot):
    """An encounter has to come after those of exactly these pairs, sorted."""

    type: Literal["ordered"] = "ordered"
    pair_id: str
    comes_after: tuple[str, ...]


class TakenOver(Snapshot):
    """These meet now: another representative has taken the encounter over, or a guest has joined it or left.

    `people` are the two, sorted, then their guests, sorted.
    """

    type: Literal["taken_over"] = "taken_over"
    pair_id: str
    people: tuple[str, ...]
    cause: Cause


class AttendanceRecorded(Snapshot):
    """An encounter was held or missed; one that was missed takes nobody's time and no table any more.

    `gone_ids` are not at the venue after all.
    """

    type: Literal["attendance_noted"] = "attendance_noted"
    pair_id: str
    attended: AttendanceSnapshot
    gone_ids: tuple[str, ...] = ()
    cause: Cause


class Edited(Snapshot):
    """The changes before this one, of the same entry, are an edit by hand."""

    type: Literal["edited"] = "edited"
    made: AppliedEdit


class Undone(Snapshot):
    """The changes before this one, of the same entry, take back the last edit by hand."""

    type: Literal["undone"] = "undone"


class AgendaTouched(Snapshot):
    """A participant's agenda may read differently though no encounter of it moved: a session, a partner's party."""

    type: Literal["agenda_touched"] = "agenda_touched"
    participant_id: str
    cause: Cause


class Announced(Snapshot):
    """The agendas are no longer provisional."""

    type: Literal["announced"] = "announced"
    cause: Cause


class Improved(Snapshot):
    """The agenda for the inputs up to `version` was improved as far as it goes."""

    type: Literal["improved"] = "improved"
    version: int
    certificate: Certificate | None


class Published(Snapshot):
    """What is published with this entry, and whose changes are thereby told (or came to nothing)."""

    type: Literal["told"] = "told"
    encounters: dict[str, PublishedEncounter]
    agendas: dict[str, PublishedAgenda]
    pairs: tuple[str, ...]
    participants: tuple[str, ...]


Change = Annotated[
    EditionRecorded
    | OrganisationRecorded
    | ParticipantRecorded
    | PairRecorded
    | Placed
    | Removed
    | Waits
    | Locked
    | Ordered
    | TakenOver
    | AttendanceRecorded
    | Edited
    | Undone
    | AgendaTouched
    | Announced
    | Improved
    | Published,
    Field(discriminator="type"),
]
CHANGE: TypeAdapter[Change] = TypeAdapter(Change)
