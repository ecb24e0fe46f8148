"""What matching does, and the journal's view of its domain."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from pydantic import TypeAdapter

from services.matching.domain.matchmaking import Matchmaker, UnknownConfiguration
from services.matching.domain.state import Change, MatchingState, evolve
from shared.consumer import Input, Poison
from shared.events import AffinityScored, EditionChanged, Event
from shared.journal import Decision
from shared.metrics import PAIRS_SCORED


class MatchingAggregate:
    """The domain as the journal wants it: see `shared.journal.Aggregate`."""

    state_type = MatchingState
    change_type: TypeAdapter[Change] = TypeAdapter(Change)

    def __init__(self, matchmaker: Matchmaker) -> None:
        self._matchmaker = matchmaker

    def empty(self, edition_id: str) -> MatchingState:
        return MatchingState(edition_id=edition_id)

    def decide(self, state: MatchingState, events: Sequence[Event], now: datetime) -> Decision[Change, Event]:  # noqa: ARG002 -- what is said happened when its inputs did
        """Raises `Poison` for an edition that is to be scored in a way that this installation does not know."""
        try:
            changes, said = self._matchmaker.decide(state, events)
        except UnknownConfiguration as error:
            for event in events:
                if isinstance(event, EditionChanged) and event.affinity_version == error.version:
                    raise Poison(event, str(error)) from error
            raise
        return Decision(changes=changes, outbox=list(said))

    def evolve(self, state: MatchingState, change: Change) -> None:
        evolve(state, change)


class Editions(Protocol):
    """Where editions are kept and decided upon: the journal."""

    async def take(self, edition_id: str, inputs: Sequence[Input]) -> Decision[Change, Event]:
        """Decide on a batch of inputs, keep what changed, send what is to be said."""
        ...


class Matching:
    """The use case of matching: registrations and requests in, affinities out."""

    def __init__(self, editions: Editions) -> None:
        self._editions = editions

    async def match(self, edition_id: str, inputs: Sequence[Input]) -> None:
        """Score the pairs that the inputs join or change, propose partners, and say what is new of each pair."""
        decision = await self._editions.take(edition_id, inputs)
        for event in decision.outbox:
            if isinstance(event, AffinityScored):
                PAIRS_SCORED.labels(consent=event.consent).inc()
