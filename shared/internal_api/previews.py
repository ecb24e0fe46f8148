"""Previews of changes of facts: posted by registration before it writes, decided by the scheduler on a copy."""

from __future__ import annotations

from pydantic import Field

from shared.contract.events import (
    AffinityScored,
    EditionChanged,
    Event,
    MatchRequestChanged,
    OrganisationChanged,
    ParticipantChanged,
)
from shared.contract.events.core import Value
from shared.contract.ids import Id
from shared.internal_api.edits import EncounterEffect

#: Encounters that a preview lists of each kind of effect, and participants that it lists; the counts are of all.
MOST_LISTED, MOST_MAILED = 200, 1000
#: Match requests that are previewed at a time.
MOST_REQUESTS = 100
#: Largest body of a request: an edition of the largest size, and ten thousand participants with their availability.
LARGEST_PREVIEW = 8 * 1024 * 1024


class FactsToPreview(Value):
    """The next snapshots of things, without texts of persons. A snapshot follows the revision in the scheduler."""

    editions: tuple[EditionChanged, ...] = ()
    organisations: tuple[OrganisationChanged, ...] = ()
    participants: tuple[ParticipantChanged, ...] = ()
    affinities: tuple[AffinityScored, ...] = ()

    @property
    def events(self) -> tuple[Event, ...]:
        """All snapshots, in the order in which registration writes them, and then the affinities that follow."""
        return (*self.editions, *self.organisations, *self.participants, *self.affinities)


class RequestsToPreview(Value):
    """The next snapshots of match requests. Matching answers with the affinities that it would publish."""

    match_requests: tuple[MatchRequestChanged, ...] = Field(max_length=MOST_REQUESTS)


class AffinitiesThen(Value):
    """The affinities that matching would publish after match requests."""

    affinities: tuple[AffinityScored, ...]


class PreviewCounts(Value):
    """Numbers of encounters and participants that a change of facts concerns."""

    encounters: int = Field(description="Encounters with a place before the change.")
    moved: int = Field(description="Encounters that change their place or their people.")
    placed: int = Field(description="Encounters without a place that get one.")
    waiting: int = Field(description="Encounters that lose their place and wait for another.")
    cancelled: int = Field(description="Encounters that lose their place and are not wanted any more.")
    people: int = Field(description="Participants of the encounters that move or wait.")
    mailed: int = Field(description="Participants who get a mail.")


class FactsPreview(Value):
    """The effects that a change of facts would have now. Lists are cut; `counts` and `effects` are of all effects."""

    effects: str = Field(description="Names exactly these effects.")
    announced: bool = Field(description="Whether the participants know their agendas.")
    counts: PreviewCounts
    moved: tuple[EncounterEffect, ...] = ()
    placed: tuple[EncounterEffect, ...] = ()
    waiting: tuple[EncounterEffect, ...] = ()
    cancelled: tuple[EncounterEffect, ...] = ()
    mailed: tuple[Id, ...] = ()
