"""Edits of an agenda by the organiser: requested through registration, decided by the scheduler."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from shared.contract.events.agenda import EncounterState, Label, Place, WaitingReason
from shared.contract.events.core import Value
from shared.contract.events.registration import Goal
from shared.contract.events.remedies import Remedy
from shared.contract.ids import Id


class _FromPerson(Value):
    """A body that a person writes: an unknown field is an error, because it is probably misspelt."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class PlaceEncounter(_FromPerson):
    """Move a waiting or scheduled encounter to a place, and lock it there."""

    type: Literal["place"] = "place"
    encounter_id: Id
    slot: int = Field(ge=0, description="The index of the slot.")
    zone_id: Id
    table: Label | None = Field(default=None, description="The first free table if unset.")


class LockEncounter(_FromPerson):
    """Forbid the system to move an encounter, or allow it again."""

    type: Literal["lock"] = "lock"
    encounter_id: Id
    is_locked: bool


class SwapRepresentative(_FromPerson):
    """Replace a participant of an encounter by another participant of the same organisation."""

    type: Literal["swap"] = "swap"
    encounter_id: Id
    participant_id: Id = Field(description="The participant who has the encounter now.")
    by: Id = Field(description="The participant who takes the encounter over.")


class OrderEncounters(_FromPerson):
    """Order two encounters, or allow them in any order again."""

    type: Literal["order"] = "order"
    encounter_id: Id
    after_id: Id = Field(description="The encounter that must end before this one starts.")
    is_ordered: bool


class InviteGuest(_FromPerson):
    """Add a participant to an encounter as a guest, or remove the guest.

    The organiser has asked the two participants before. The encounter waits until all of them have a common slot. If a
    guest cancels, the two participants meet without the guest.
    """

    type: Literal["invite"] = "invite"
    encounter_id: Id
    participant_id: Id = Field(description="The guest.")
    is_invited: bool


class UndoEdit(_FromPerson):
    """Undo the last edit that was not undone yet."""

    type: Literal["undo"] = "undo"


Edit = Annotated[
    PlaceEncounter | LockEncounter | SwapRepresentative | OrderEncounters | InviteGuest | UndoEdit,
    Field(discriminator="type"),
]

#: Most people at one table: the two participants and their guests.
MOST_PEOPLE = 8


class More(_FromPerson):
    """Additional tables, slots and days for a what-if question."""

    tables: int = Field(default=0, ge=0, le=100, description="Additional tables in the zone.")
    zone_id: Id | None = Field(default=None, description="The zone of the tables; the workspace if unset.")
    slots: int = Field(default=0, ge=0, le=40, description="Additional slots at the end of the last day.")
    days: int = Field(default=0, ge=0, le=5, description="Additional days after the last day, with the same slots.")


_PARTICIPANTS = "The two participants, then their guests."
_COMES_AFTER = "The encounters that must end before this one starts, as far as they have a place."


class EncounterEffect(Value):
    """The effect of an edit on an encounter. With `after` None the encounter waits, for `waiting_reason`."""

    encounter_id: Id
    before: Place | None
    after: Place | None
    participant_ids_before: tuple[Id, ...] = Field(description=_PARTICIPANTS)
    participant_ids_after: tuple[Id, ...] = Field(description=_PARTICIPANTS)
    waiting_reason: WaitingReason | None
    is_locked: bool
    comes_after: tuple[Id, ...] = Field(default=(), description=_COMES_AFTER)


class BrokenRule(Value):
    """A rule that an edit would break, with the encounters and participants that would break it together."""

    rule: str
    encounter_ids: tuple[Id, ...]
    participant_ids: tuple[Id, ...]


class EditEffects(Value):
    """All effects of an edit. If it would break rules: the effect on the edited encounter alone, and the rules."""

    token: str = Field(description="Names exactly these effects.")
    encounters: tuple[EncounterEffect, ...]
    broken: tuple[BrokenRule, ...]
    mailed: tuple[Id, ...] = Field(description="The participants who will get a mail about it.")
    idle_slots: int = Field(description="Change of the idle slots between encounters of the participants concerned.")
    announced: bool = Field(default=False, description="Whether the participants know their agendas.")
    placed: int = Field(default=0, description="Encounters with a place before the edit.")


class BelowMinimum(Value):
    """A participant who has fewer encounters than the edition's minimum, and wants more."""

    participant_id: Id
    placed: int = Field(description="Encounters with a place.")
    wanted: int = Field(description="Wanted encounters, the placed encounters included.")
    least: int = Field(description="The edition's minimum of encounters, if as many are wanted.")


class GoalReached(Value):
    """The progress of an edition towards a goal."""

    goal: Goal
    placed: int = Field(description="Encounters with a place that serve the goal.")
    wanted: int = Field(description="Wanted encounters that serve the goal, the placed encounters included.")


class WhatIf(Value):
    """The gain of an edition from more tables or more time, starting from its present agenda."""

    placed: int = Field(description="Encounters with a place now.")
    waiting: int = Field(description="Wanted encounters without a place.")
    placed_then: int = Field(description="Encounters with a place in the best agenda found.")
    at_most_then: int = Field(description="Upper bound of encounters with a place.")


class EncounterNow(Value):
    """The present state of an encounter. The system does not move a frozen or locked encounter."""

    encounter_id: Id
    participant_ids: tuple[Id, ...] = Field(description=_PARTICIPANTS)
    state: EncounterState
    place: Place | None
    waiting_reason: WaitingReason | None
    is_locked: bool
    is_frozen: bool
    comes_after: tuple[Id, ...] = Field(default=(), description=_COMES_AFTER)
    absent_ids: tuple[Id, ...] = Field(default=(), description="The participants who did not come, once reported.")
    remedy: Remedy | None = Field(
        default=None, description="The smallest change found that would place the waiting encounter."
    )
    remedy_sought: bool = Field(
        default=False, description="Whether a remedy was sought. Then a missing remedy says that none was found."
    )
