"""What matching does, and the journal's view of its domain."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, Protocol

from pydantic import TypeAdapter

from services.matching.domain.decide import Matchmaker, UnknownConfiguration
from services.matching.domain.rescoring import Looked, to_refine
from services.matching.domain.state import Change, MatchingState, evolve
from services.matching.domain.text.scorer import Role, TextScorer
from shared.contract.events import AffinityScored, EditionChanged, Event
from shared.messaging.consumer import Input, Poison
from shared.runtime.metrics import PAIRS_SCORED
from shared.storage.journal import Decision

_PAIRS_REFINED_AT_ONCE: Final = 32


class MatchingAggregate:
    """The domain as the journal wants it: see `shared.storage.journal.Aggregate`."""

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

    async def decide(self, edition_id: str, inputs: Sequence[Input]) -> Decision[Change, Event]:
        """Decide on a batch of inputs, keep what changed, send what is to be said."""
        ...

    async def transact(
        self, edition_id: str, decide: Callable[[MatchingState, datetime], Decision[Change, Event]]
    ) -> Decision[Change, Event]:
        """Make any other decision in the same way."""
        ...

    async def read(self, edition_id: str) -> MatchingState:
        """The state, to be used before the next `await`."""
        ...


class Matching:
    """The use case of matching: registrations and requests in, affinities out."""

    def __init__(self, editions: Editions) -> None:
        self._editions = editions
        #: Those that have had inputs, in the order of their last.
        self.touched: dict[str, None] = {}

    async def match(self, edition_id: str, inputs: Sequence[Input]) -> None:
        """Score the pairs that the inputs join or change, propose partners, and say what is new of each pair."""
        _count(await self._editions.decide(edition_id, inputs))
        self.touched.pop(edition_id, None)
        self.touched[edition_id] = None


class SecondLook:
    """Scores pairs again by a better and slower reader of texts, once they have been scored at once.

    Texts are read outside of any lock, a few pairs at a time, so that inputs never wait for them.
    """

    def __init__(self, matching: Matching, editions: Editions, matchmaker: Matchmaker, reader: TextScorer) -> None:
        self._matching = matching
        self._editions = editions
        self._matchmaker = matchmaker
        self._reader = reader
        self._looked: dict[str, Looked] = {}

    async def refine(self) -> None:
        """Look at some pairs of every edition touched, and of those again that have more."""
        touched = self._matching.touched
        for edition_id in list(touched):
            touched.pop(edition_id)
            if await self._refine_some(edition_id):
                touched[edition_id] = None

    async def _refine_some(self, edition_id: str) -> bool:
        looked = self._looked.setdefault(edition_id, {})
        state = await self._editions.read(edition_id)
        pairs = to_refine(state, looked, _PAIRS_REFINED_AT_ONCE)
        needs, offers = self._matchmaker.texts_of(state, pairs)
        await asyncio.to_thread(self._reader.embed, needs, Role.NEED)
        await asyncio.to_thread(self._reader.embed, offers, Role.OFFER)

        def decide(state: MatchingState, _: datetime) -> Decision[Change, Event]:
            changes, said = self._matchmaker.second_look(state, self._reader, pairs, looked)
            return Decision(changes=changes, outbox=list(said))

        if pairs:
            _count(await self._editions.transact(edition_id, decide))
        return len(pairs) == _PAIRS_REFINED_AT_ONCE


async def warm_up(reader: TextScorer) -> None:
    """Have a reader of texts load its model, before the first participant has to wait for it."""
    await asyncio.to_thread(reader.embed, ["."], Role.NEED)


def _count(decision: Decision[Change, Event]) -> None:
    for event in decision.outbox:
        if isinstance(event, AffinityScored):
            PAIRS_SCORED.labels(consent=event.consent).inc()
