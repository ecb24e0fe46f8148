"""`agenda.v1` and `encounter.v1`, both public: a participant's whole agenda, and an encounter's life."""

from __future__ import annotations

from enum import StrEnum
from operator import attrgetter
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from shared.contract.events.core import Actor, CompactModel, Event, Interval, Value
from shared.contract.events.registration import Level
from shared.contract.events.remedies import Remedy
from shared.contract.ids import Id

Label = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class EncounterState(StrEnum):
    """The states of an encounter.

    A `waiting` encounter has consent, but no slot yet; its event gives the reason. An encounter is `moved` from an
    announced place only: before the announcement it is `scheduled`.
    """

    WAITING = "waiting"
    SCHEDULED = "scheduled"
    MOVED = "moved"
    CANCELLED = "cancelled"
    HELD = "held"
    MISSED = "missed"


class WaitingReason(StrEnum):
    """The reason for which an encounter has no slot: the first rule that excludes its last slots."""

    NO_COMMON_SLOT = "no_common_slot"
    QUOTA_REACHED = "quota_reached"
    NO_SLOT_IN_ORDER = "no_slot_in_order"
    NO_TABLE = "no_table"
    AGENDAS_FULL = "agendas_full"
    EDITION_UNKNOWN = "edition_unknown"
    PARTICIPANT_UNKNOWN = "participant_unknown"


class CauseCode(StrEnum):
    """The kind of cause of a change of the agenda."""

    PAIR_GRANTED = "pair_granted"
    PAIR_REVOKED = "pair_revoked"
    PARTICIPANT_CHANGED = "participant_changed"
    PARTICIPANT_CANCELLED = "participant_cancelled"
    ORGANISATION_CHANGED = "organisation_changed"
    EDITION_CHANGED = "edition_changed"
    EDITION_PUBLISHED = "edition_published"
    IMPROVED = "improved"
    ORGANISER_EDITED = "organiser_edited"
    ATTENDANCE_REPORTED = "attendance_reported"
    CHECKED_IN = "checked_in"


class Cause(Value):
    """The cause of a change, with the id of the thing that changed first."""

    code: CauseCode
    subject_id: Id
    actor: Actor = None


class Place(Interval, CompactModel):
    """The place of an encounter: slot, zone and table."""

    slot: int = Field(ge=0)
    zone_id: Id
    table: Label


class Relaxation(Value):
    """The single rule that excludes a slot for a waiting pair: without this rule, the pair would be placed there."""

    rule: Label = Field(
        description="Such as `table_twice` (one more table in the zone), `not_available`, `person_twice`."
    )
    slot: int = Field(ge=0)
    participant_ids: tuple[Id, ...] = Field(
        default=(), description="The participants whose time or quota the rule protects."
    )
    zone_id: Id | None = Field(default=None, description="The zone that lacks a table.")


class Party(Value):
    """A participant, and the organisation that the participant represents."""

    participant_id: Id
    organisation_id: Id | None


class EncounterChanged(Event):
    """An encounter was scheduled, moved or cancelled, waits for a slot, was held or missed.

    `revision` is iCalendar's SEQUENCE. The id stays the same if another representative takes the encounter over, or if
    guests join or leave: the state is then `moved`, and `participant_ids` name the present participants.
    """

    TYPE: ClassVar[str] = "org.tertulia.encounter.changed.v1"
    THING: ClassVar[str] = "encounter_id"

    encounter_id: Id
    state: EncounterState
    participant_ids: tuple[Id, Id] = Field(description="Sorted.")
    organisation_ids: tuple[Id | None, Id | None] = Field(description="In the order of `participant_ids`.")
    guests: tuple[Party, ...] = Field(
        default=(), description="The guests of the two participants, sorted by participant."
    )
    request_ids: tuple[Id, ...] = ()
    affinity: float = Field(ge=0, le=1)
    place: Place | None = Field(default=None, description="None while waiting or once cancelled.")
    waiting_reason: WaitingReason | None = None
    relaxation: Relaxation | None = Field(
        default=None,
        description="The nearest slot that a single rule excludes, at the time of this event; only while waiting.",
    )
    absent_ids: tuple[Id, ...] = Field(
        default=(),
        description="The participants who did not come: at least one of the two if missed, only guests if held.",
    )
    is_locked: bool = Field(default=False, description="Whether the organiser has locked the encounter in its place.")
    comes_after: tuple[Id, ...] = Field(
        default=(), description="The encounters that must end before this one starts, as far as they have a place."
    )
    cause: Cause


class EntryKind(StrEnum):
    """The kind of an agenda entry."""

    ENCOUNTER = "encounter"
    SESSION = "session"


class AgendaEntry(Interval, CompactModel):
    """An entry of an agenda: a session, or an encounter with `with_participant_id` and the further parties `others`."""

    kind: EntryKind
    entry_id: Id = Field(description="The id of the encounter or session.")
    sequence: int = Field(ge=0, description="The revision of the encounter; for a session, of the edition.")
    zone_id: Id
    table: Label | None = None
    with_participant_id: Id | None = None
    with_organisation_id: Id | None = None
    others: tuple[Party, ...] = Field(default=(), description="The further parties of an encounter of more than two.")
    title: Label | None = Field(default=None, description="A session's title.")

    @property
    def parties(self) -> tuple[Party, ...]:
        """The parties whom the participant meets; empty for a session."""
        if self.with_participant_id is None:
            return ()
        return (Party(participant_id=self.with_participant_id, organisation_id=self.with_organisation_id), *self.others)


#: All fields of an entry but `sequence`. A sequence may rise although the reader of the agenda sees no change.
content_of = attrgetter(*sorted(AgendaEntry.model_fields.keys() - {"sequence"}))


class ChangeKind(StrEnum):
    """The kind of change of an agenda entry since the previous revision."""

    ADDED = "added"
    MOVED = "moved"
    REMOVED = "removed"


class AgendaChange(Value):
    """An entry that changed since the previous revision."""

    kind: ChangeKind
    entry_id: Id
    before: AgendaEntry | None = None
    after: AgendaEntry | None = None


class LevelResult(Value):
    """The value of an agenda at one level, and a proven bound of the value of any agenda.

    The bound is an upper bound for `placed` and `floor`, a lower bound for all further levels. `placed` counts
    encounters. `floor` is the smallest share, 0..1, of wanted encounters that a participant has. `moves` counts
    encounters whose time differs from the last announcement. `breaks` counts breaks of all participants on all days.
    `table_changes` counts changes of table between encounters without a break.
    """

    level: Level
    value: float = Field(ge=0)
    bound: float = Field(ge=0)
    gap: float = Field(ge=0, description="The distance of value and bound as a share of the larger; 0: proven best.")
    engine: Label = Field(description="The method that proved the bound.")


class Certificate(Value):
    """The proven quality of an edition's agenda: placed encounters, their upper bound, and the results by level."""

    placed: int = Field(ge=0)
    bound: int = Field(ge=0)
    levels: tuple[LevelResult, ...] = Field(default=(), description="In the order of the edition's levels.")
    seconds: float | None = Field(default=None, ge=0, description="The duration of the improvement.")

    @property
    def gap(self) -> float:
        """The share of the bound that is not reached, 0..1."""
        return 0.0 if not self.bound else max(0.0, (self.bound - self.placed) / self.bound)


class WaitingEncounter(Value):
    """An encounter of the participant that waits for a place when the agenda is published."""

    encounter_id: Id
    parties: tuple[Party, ...] = Field(description="The parties whom the participant would meet.")
    reason: WaitingReason
    remedy: Remedy | None = Field(
        default=None, description="The smallest change found lately that would place it, as of the time in it."
    )


class AgendaChanged(Event):
    """A participant's whole agenda in time order, its changes since the previous revision, and their causes."""

    TYPE: ClassVar[str] = "org.tertulia.agenda.changed.v1"
    THING: ClassVar[str] = "participant_id"

    participant_id: Id
    provisional: bool = Field(description="True while the edition is open: the agenda may still change freely.")
    entries: tuple[AgendaEntry, ...]
    changes: tuple[AgendaChange, ...] = ()
    causes: tuple[Cause, ...] = ()
    certificate: Certificate | None = Field(default=None, description="The newest certificate of the edition, if any.")
    waiting: tuple[WaitingEncounter, ...] = Field(
        default=(),
        description="Encounters that wait, 20 at most. They are news with the next change of the entries only.",
    )
