"""Changes of an edition's state. An entry of its journal is a list of changes."""

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
    SettledPlace,
    Snapshot,
)
from shared.contract.events import Actor, Cause, Certificate, EditionChanged, Place, WaitingReason


class OperatorRecorded(Snapshot):
    """The operator of the edition. Inputs of another operator are forgotten."""

    type: Literal["operator_taken"] = "operator_taken"
    operator_id: str


class EditionRecorded(Snapshot):
    """A new revision of the edition."""

    type: Literal["edition_taken"] = "edition_taken"
    edition: EditionChanged


class OrganisationRecorded(Snapshot):
    """A new revision of an organisation."""

    type: Literal["organisation_taken"] = "organisation_taken"
    organisation_id: str
    organisation: OrganisationSnapshot


class ParticipantRecorded(Snapshot):
    """A new revision of a participant."""

    type: Literal["participant_taken"] = "participant_taken"
    participant_id: str
    participant: ParticipantSnapshot


class PairRecorded(Snapshot):
    """A new revision of a pair."""

    type: Literal["pair_taken"] = "pair_taken"
    operator_id: str
    pair_id: str
    pair: PairSnapshot


class Placed(Snapshot):
    """An encounter has this place, instead of the place it had before."""

    type: Literal["placed"] = "placed"
    pair_id: str
    place: Place
    cause: Cause


class Removed(Snapshot):
    """An encounter has lost its place."""

    type: Literal["lifted"] = "lifted"
    pair_id: str
    cause: Cause


class Waits(Snapshot):
    """The reason why an encounter has no place; `None` if the encounter is not wanted any more."""

    type: Literal["waits"] = "waits"
    pair_id: str
    reason: WaitingReason | None
    cause: Cause


class Locked(Snapshot):
    """An encounter was locked or unlocked."""

    type: Literal["locked"] = "locked"
    pair_id: str
    is_locked: bool


class Ordered(Snapshot):
    """An encounter has to come after the encounters of exactly these pairs, sorted."""

    type: Literal["ordered"] = "ordered"
    pair_id: str
    comes_after: tuple[str, ...]


class TakenOver(Snapshot):
    """A substitute or a guest has joined or left an encounter.

    `people` are the two, sorted, then their guests, sorted.
    """

    type: Literal["taken_over"] = "taken_over"
    pair_id: str
    people: tuple[str, ...]
    cause: Cause


class AttendanceRecorded(Snapshot):
    """A report of attendance. A missed encounter frees its time and its table.

    `gone_ids` are participants absent from the venue.
    """

    type: Literal["attendance_noted"] = "attendance_noted"
    pair_id: str
    attended: AttendanceSnapshot
    gone_ids: tuple[str, ...] = ()
    cause: Cause


class Displaced(Snapshot):
    """A change of facts has moved, seated or removed an encounter. Its settled place is kept for a while."""

    type: Literal["displaced"] = "displaced"
    pair_id: str
    settled: SettledPlace


class Settled(Snapshot):
    """An encounter is back at its settled place, or its present place is settled now."""

    type: Literal["settled"] = "settled"
    pair_id: str


class Edited(Snapshot):
    """The changes before this, in the same entry, are an edit by hand."""

    type: Literal["edited"] = "edited"
    made: AppliedEdit
    actor: Actor = None


class Undone(Snapshot):
    """The changes before this, in the same entry, undo the last edit by hand."""

    type: Literal["undone"] = "undone"
    actor: Actor = None


class AgendaTouched(Snapshot):
    """A participant's agenda may differ though no encounter moved: a session, or a partner's organisation."""

    type: Literal["agenda_touched"] = "agenda_touched"
    participant_id: str
    cause: Cause


class Announced(Snapshot):
    """The agendas are final from now on."""

    type: Literal["announced"] = "announced"
    cause: Cause


class Improved(Snapshot):
    """The improvement of the agenda for the inputs up to `version` has ended."""

    type: Literal["improved"] = "improved"
    version: int
    certificate: Certificate | None


class Published(Snapshot):
    """Content published with this entry. Changes of `pairs` and `participants` are published, or cancelled out."""

    type: Literal["told"] = "told"
    encounters: dict[str, PublishedEncounter]
    agendas: dict[str, PublishedAgenda]
    pairs: tuple[str, ...]
    participants: tuple[str, ...]


Change = Annotated[
    OperatorRecorded
    | EditionRecorded
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
    | Displaced
    | Settled
    | Edited
    | Undone
    | AgendaTouched
    | Announced
    | Improved
    | Published,
    Field(discriminator="type"),
]
CHANGE: TypeAdapter[Change] = TypeAdapter(Change)
