"""What an organiser can do to an agenda by hand: asked through registration, decided by the scheduler."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from shared.events.agenda import Label
from shared.events.core import Value
from shared.ids import Id


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


class UndoEdit(_Asked):
    """Take back the last edit that was not taken back yet."""

    type: Literal["undo"] = "undo"


Edit = Annotated[PlaceEncounter | LockEncounter | SwapRepresentative | UndoEdit, Field(discriminator="type")]
