"""What an organiser can do to an agenda by hand: asked through registration, decided by the scheduler."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from shared.contract.events.agenda import EncounterState, Label, Place, WaitingReason
from shared.contract.events.core import Value
from shared.contract.events.registration import Goal
from shared.contract.ids import Id


class _Asked(Value):
    """It comes from people: a field misspelt is a mistake to be told, not one to be ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class PlaceEncounter(_Asked):
    """Give an encounter this place, whether it waits or is elsewhere, and lock it there."""

    type: Literal["place"] = "place"
    encounter_id: Id
    slot: int = Field(ge=0, description="The index of the slot.")
    zone_id: Id
    table: Label | None = Field(default=None, description="The first free one if unset.")


class LockEncounter(_Asked):
    """Have the system leave an encounter where it is, or let it move again."""

    type: Literal["lock"] = "lock"
    encounter_id: Id
    is_locked: bool


class SwapRepresentative(_Asked):
    """Let another participant of the same organisation take an encounter over."""

    type: Literal["swap"] = "swap"
    encounter_id: Id
    participant_id: Id = Field(description="Who is to meet now.")
    by: Id = Field(description="Who takes the encounter over.")


class OrderEncounters(_Asked):
    """Have an encounter come after another one from now on, or let the two be in any order again."""

    type: Literal["order"] = "order"
    encounter_id: Id
    after_id: Id = Field(description="The encounter that has to have ended before it starts.")
    is_ordered: bool


class InviteGuest(_Asked):
    """Have a participant join an encounter from now on as a guest of the two, whom the organiser has asked; or not.

    All who meet are there at the same time or the encounter waits. A guest who cancels leaves it; the two meet anyway.
    """

    type: Literal["invite"] = "invite"
    encounter_id: Id
    participant_id: Id = Field(description="The guest.")
    is_invited: bool


class UndoEdit(_Asked):
    """Take back the last edit that was not taken back yet."""

    type: Literal["undo"] = "undo"


Edit = Annotated[
    PlaceEncounter | LockEncounter | SwapRepresentative | OrderEncounters | InviteGuest | UndoEdit,
    Field(discriminator="type"),
]

#: Who sits at one table: the two, and their guests.
MOST_PEOPLE = 8


class More(_Asked):
    """What there would be more of, to ask what it would bring."""

    tables: int = Field(default=0, ge=0, le=100, description="Tables in the zone.")
    zone_id: Id | None = Field(default=None, description="The zone they are in; the workspace if unset.")
    slots: int = Field(default=0, ge=0, le=40, description="Slots at the end of the last day.")
    days: int = Field(default=0, ge=0, le=5, description="Days after the last, like it.")


_WHO_MEETS = "The two, then their guests."
_COMES_AFTER = "The encounters that have to have ended before it starts, as far as they have a place."


class EncounterEffect(Value):
    """What an edit does to one encounter. Without a place after it, the encounter waits for `waiting_reason`."""

    encounter_id: Id
    before: Place | None
    after: Place | None
    participant_ids_before: tuple[Id, ...] = Field(description=_WHO_MEETS)
    participant_ids_after: tuple[Id, ...] = Field(description=_WHO_MEETS)
    waiting_reason: WaitingReason | None
    is_locked: bool
    comes_after: tuple[Id, ...] = Field(default=(), description=_COMES_AFTER)


class BrokenRule(Value):
    """A rule that an edit would break, and whose encounters together would break it."""

    rule: str
    encounter_ids: tuple[Id, ...]
    participant_ids: tuple[Id, ...]


class EditEffects(Value):
    """All that an edit leads to; where it would break rules, what was asked for alone, and the rules."""

    token: str = Field(description="Names exactly these effects.")
    encounters: tuple[EncounterEffect, ...]
    broken: tuple[BrokenRule, ...]
    mailed: tuple[Id, ...] = Field(description="The participants who will hear of it by mail.")
    idle_slots: int = Field(description="Slots more that those concerned wait between encounters; fewer if negative.")


class BelowMinimum(Value):
    """A participant who has fewer encounters than the edition wants everybody to have, and wants more."""

    participant_id: Id
    placed: int = Field(description="Encounters with a place.")
    wanted: int = Field(description="Encounters wanted, those included.")
    least: int = Field(description="Encounters that everybody should have, if as many are wanted.")


class GoalReached(Value):
    """How far an edition has come with a goal."""

    goal: Goal
    placed: int = Field(description="Encounters with a place that serve it.")
    wanted: int = Field(description="Encounters wanted that serve it, those included.")


class WhatIf(Value):
    """What an edition would gain by more tables or more time, from its agenda as it is."""

    placed: int = Field(description="Encounters with a place now.")
    waiting: int = Field(description="Encounters wanted that have none.")
    placed_then: int = Field(description="How many were found to have a place then.")
    at_most_then: int = Field(description="No agenda would have more: what was found is proven best if it has as many.")


class EncounterNow(Value):
    """An encounter as it is now. One that is frozen or locked is not moved by the system."""

    encounter_id: Id
    participant_ids: tuple[Id, ...] = Field(description=_WHO_MEETS)
    state: EncounterState
    place: Place | None
    waiting_reason: WaitingReason | None
    is_locked: bool
    is_frozen: bool
    comes_after: tuple[Id, ...] = Field(default=(), description=_COMES_AFTER)
