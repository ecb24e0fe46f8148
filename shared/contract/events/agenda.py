"""`agenda.v1` and `encounter.v1`, both public: a participant's whole agenda, and an encounter's life."""

from __future__ import annotations

from enum import StrEnum
from operator import attrgetter
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from shared.contract.events.core import CompactModel, Event, Interval, Value
from shared.contract.events.registration import Level
from shared.contract.ids import Id

Label = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class EncounterState(StrEnum):
    """An encounter's life. `waiting`: wanted by both, without a slot for now, with the reason."""

    WAITING = "waiting"
    SCHEDULED = "scheduled"
    MOVED = "moved"
    CANCELLED = "cancelled"
    HELD = "held"
    MISSED = "missed"


class WaitingReason(StrEnum):
    """Why a wanted encounter has no slot: the first rule that leaves it none."""

    NO_COMMON_SLOT = "no_common_slot"
    QUOTA_REACHED = "quota_reached"
    NO_SLOT_IN_ORDER = "no_slot_in_order"
    NO_TABLE = "no_table"
    AGENDAS_FULL = "agendas_full"
    EDITION_UNKNOWN = "edition_unknown"
    PARTICIPANT_UNKNOWN = "participant_unknown"


class CauseCode(StrEnum):
    """What set off a change of the agenda."""

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
    """What set off a change, and the id of the thing it came from."""

    code: CauseCode
    subject_id: Id


class Place(Interval, CompactModel):
    """Where and when an encounter is: slot, zone and table."""

    slot: int = Field(ge=0)
    zone_id: Id
    table: Label


class Relaxation(Value):
    """The one rule that keeps a slot from a pair that waits: without it, it would have been placed there."""

    rule: Label = Field(
        description="Such as `table_twice` (one more table in the zone), `not_available`, `person_twice`."
    )
    slot: int = Field(ge=0)
    participant_ids: tuple[Id, ...] = Field(default=(), description="Whose time or quota it is about.")
    zone_id: Id | None = Field(default=None, description="Where a table is missing.")


class Party(Value):
    """A participant, and the organisation that the participant represents."""

    participant_id: Id
    organisation_id: Id | None


class EncounterChanged(Event):
    """An encounter was scheduled, moved or cancelled, waits for a slot, was held or missed.

    `revision` is iCalendar's SEQUENCE. The id stays when another representative takes an encounter over: then the state
    is `moved`, and `participant_ids` are those who meet now. So it is where guests join the two, or leave.
    """

    TYPE: ClassVar[str] = "org.tertulia.encounter.changed.v1"
    THING: ClassVar[str] = "encounter_id"

    encounter_id: Id
    state: EncounterState
    participant_ids: tuple[Id, Id] = Field(description="Sorted.")
    organisation_ids: tuple[Id | None, Id | None] = Field(description="In the order of `participant_ids`.")
    guests: tuple[Party, ...] = Field(default=(), description="Who joins the two, sorted by participant.")
    request_ids: tuple[Id, ...] = ()
    affinity: float = Field(ge=0, le=1)
    place: Place | None = Field(default=None, description="None while waiting or once cancelled.")
    waiting_reason: WaitingReason | None = None
    relaxation: Relaxation | None = Field(
        default=None, description="The nearest, if it waits and a single rule is in its way, as of when this was said."
    )
    absent_ids: tuple[Id, ...] = Field(
        default=(), description="Who did not come: one of the two at least if it was missed, guests alone if held."
    )
    is_locked: bool = Field(default=False, description="Whether the organiser has it stay where it is.")
    comes_after: tuple[Id, ...] = Field(
        default=(), description="The encounters that have to have ended before it starts, as far as they have a place."
    )
    cause: Cause


class EntryKind(StrEnum):
    """What a participant does at a time."""

    ENCOUNTER = "encounter"
    SESSION = "session"


class AgendaEntry(Interval, CompactModel):
    """One line of an agenda: an encounter with `with_participant_id`, and `others` if more meet; or a session."""

    kind: EntryKind
    entry_id: Id = Field(description="The encounter's or the session's id.")
    sequence: int = Field(ge=0, description="The encounter's revision; for a session the edition's.")
    zone_id: Id
    table: Label | None = None
    with_participant_id: Id | None = None
    with_organisation_id: Id | None = None
    others: tuple[Party, ...] = Field(default=(), description="Who else is there where more than two meet.")
    title: Label | None = Field(default=None, description="A session's title.")

    @property
    def parties(self) -> tuple[Party, ...]:
        """All who are met; nobody in a session."""
        if self.with_participant_id is None:
            return ()
        return (Party(participant_id=self.with_participant_id, organisation_id=self.with_organisation_id), *self.others)


#: A line without its sequence, which may rise with no change that a reader would see: of two lines that are the same
#: to whoever reads them, it is equal.
content_of = attrgetter(*sorted(AgendaEntry.model_fields.keys() - {"sequence"}))


class ChangeKind(StrEnum):
    """What happened to a line of the agenda since the revision before."""

    ADDED = "added"
    MOVED = "moved"
    REMOVED = "removed"


class AgendaChange(Value):
    """One line that changed since the revision before."""

    kind: ChangeKind
    entry_id: Id
    before: AgendaEntry | None = None
    after: AgendaEntry | None = None


class LevelResult(Value):
    """How good an agenda is at one level, and the best any could be: at most for `placed` and `floor`, else at least.

    `placed` counts encounters; `floor` is the least share, 0..1, of the encounters wanted that anybody has; `moves`
    are those not when they were last announced; `breaks` are counted over all participants and days, `table_changes`
    between encounters without a break.
    """

    level: Level
    value: float = Field(ge=0)
    bound: float = Field(ge=0)
    gap: float = Field(ge=0, description="The share of the larger of the two that lies between them; 0: proven best.")
    engine: Label = Field(description="What the bound comes from.")


class Certificate(Value):
    """How good the edition's agenda is known to be: encounters placed against a proven upper bound, then each level."""

    placed: int = Field(ge=0)
    bound: int = Field(ge=0)
    levels: tuple[LevelResult, ...] = Field(default=(), description="In the edition's order.")
    seconds: float | None = Field(default=None, ge=0, description="How long it was improved for.")

    @property
    def gap(self) -> float:
        """The share of the bound not reached, 0..1."""
        return 0.0 if not self.bound else max(0.0, (self.bound - self.placed) / self.bound)


class AgendaChanged(Event):
    """A participant's whole agenda, in time order; what changed since the revision before, and why."""

    TYPE: ClassVar[str] = "org.tertulia.agenda.changed.v1"
    THING: ClassVar[str] = "participant_id"

    participant_id: Id
    provisional: bool = Field(description="True while the edition is open: it may still change freely.")
    entries: tuple[AgendaEntry, ...]
    changes: tuple[AgendaChange, ...] = ()
    causes: tuple[Cause, ...] = ()
    certificate: Certificate | None = Field(default=None, description="The edition's last one, if any.")
