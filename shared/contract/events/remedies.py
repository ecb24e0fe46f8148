"""Remedies: changes that would give a waiting encounter a place."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from shared.contract.events.core import Instant, Interval, Value
from shared.contract.ids import Id


class RemedyKind(StrEnum):
    """The kind of a step of a remedy: the change of a fact, or an edit by hand.

    - `hours`: the participant is present in the slot (`available`).
    - `session`: the participant does not attend the session.
    - `quota`: the edition allows this many encounters a participant (`quotas.max_encounters`).
    - `table`: the zone has `tables` more tables.
    - `slot`: the last day has a further slot.
    - `guest`: the guest does not join the encounter.
    - `order`: the encounter `after_id` need not end before the encounter `encounter_id` starts.
    - `unlock`: the encounter is not locked any more.
    - `place`: the organiser puts the waiting encounter at this place.
    """

    HOURS = "hours"
    SESSION = "session"
    QUOTA = "quota"
    TABLE = "table"
    SLOT = "slot"
    GUEST = "guest"
    ORDER = "order"
    UNLOCK = "unlock"
    PLACE = "place"


class RemedyStep(Value):
    """A step of a remedy. Only the fields of its kind are set."""

    kind: RemedyKind
    slot: int | None = Field(default=None, ge=0, description="The slot of `hours` and `place`.")
    time: Interval | None = Field(default=None, description="The time of that slot; for `slot`, of the new slot.")
    participant_id: Id | None = Field(default=None, description="The participant of `hours`, `session` and `guest`.")
    session_id: Id | None = None
    quota: int | None = Field(default=None, ge=1, description="The `quotas.max_encounters` that would do.")
    tables: int | None = Field(default=None, ge=1, description="The number of further tables of `table`.")
    zone_id: Id | None = Field(default=None, description="The zone of `table` and `place`.")
    table: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = Field(
        default=None, description="The table of `place`; the first free table if unset."
    )
    encounter_id: Id | None = Field(default=None, description="The encounter of `order` and `unlock`.")
    after_id: Id | None = Field(default=None, description="The encounter before it, of `order`.")


class Remedy(Value):
    """The smallest change found that places a waiting encounter, tried on a copy of the agenda at `as_of`."""

    steps: tuple[RemedyStep, ...] = Field(min_length=1, description="All are needed, in this order.")
    place: Interval = Field(description="The time at which the encounter was placed in the trial.")
    moved_ids: tuple[Id, ...] = Field(default=(), description="The encounters that would get another place.")
    lost_ids: tuple[Id, ...] = Field(default=(), description="The encounters that would wait in its stead.")
    as_of: Instant = Field(description="The time of the trial. The agenda may have changed since.")
