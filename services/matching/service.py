"""Use cases of matching: deciding on inputs, and rescoring with the quality tier."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from services.matching.domain.changes import Change
from services.matching.domain.decide import Matchmaker
from services.matching.domain.rescoring.rescoring import RescoredRevisions, pairs_to_rescore
from services.matching.domain.state import MatchingState
from services.matching.domain.text.scorer import Role, TextScorer
from services.matching.ports import EditionJournal
from shared.contract.events import AffinityScored, Event
from shared.messaging.inputs import Input
from shared.runtime.metrics import PAIRS_SCORED
from shared.storage.aggregate import Decision

_PAIRS_RESCORED_AT_ONCE: Final = 32


class Matching:
    """Turns registrations and match requests into affinities."""

    def __init__(self, editions: EditionJournal) -> None:
        self._editions = editions
        #: Editions with inputs that rescoring has not seen; the edition with the latest input is last.
        self.touched: dict[str, None] = {}

    async def consume(self, edition_id: str, inputs: Sequence[Input]) -> None:
        """Score the pairs that the inputs join or change, propose partners, and publish every changed affinity."""
        _count(await self._editions.decide(edition_id, inputs))
        self.touched.pop(edition_id, None)
        self.touched[edition_id] = None


class Rescorer:
    """Scores pairs again with the slower and better text scorer of the quality tier.

    Texts are embedded outside of any lock, a few pairs at a time, so that inputs never wait for them.
    """

    def __init__(
        self, matching: Matching, editions: EditionJournal, matchmaker: Matchmaker, scorer: TextScorer
    ) -> None:
        self._matching = matching
        self._editions = editions
        self._matchmaker = matchmaker
        self._scorer = scorer
        self._rescored: dict[str, RescoredRevisions] = {}

    async def rescore(self) -> None:
        """Rescore some pairs of every touched edition. An edition with more pairs stays touched."""
        touched = self._matching.touched
        for edition_id in list(touched):
            touched.pop(edition_id)
            if await self._rescore_some(edition_id):
                touched[edition_id] = None

    async def _rescore_some(self, edition_id: str) -> bool:
        """Rescore up to `_PAIRS_RESCORED_AT_ONCE` pairs; tell whether there may be more."""
        rescored = self._rescored.setdefault(edition_id, {})
        state = await self._editions.read(edition_id)
        pairs = pairs_to_rescore(state, rescored, _PAIRS_RESCORED_AT_ONCE)
        needs, offers = self._matchmaker.texts_of(state, pairs)
        await asyncio.to_thread(self._scorer.embed, needs, Role.NEED)
        await asyncio.to_thread(self._scorer.embed, offers, Role.OFFER)

        def decide(state: MatchingState, _: datetime) -> Decision[Change, Event]:
            changes, published = self._matchmaker.rescore(state, self._scorer, pairs, rescored)
            return Decision(changes=changes, outbox=list(published))

        if pairs:
            _count(await self._editions.transact(edition_id, decide))
        return len(pairs) == _PAIRS_RESCORED_AT_ONCE


async def warm_up(scorer: TextScorer) -> None:
    """Load the model of a text scorer before the first participant has to wait for it."""
    await asyncio.to_thread(scorer.embed, ["."], Role.NEED)


def _count(decision: Decision[Change, Event]) -> None:
    for event in decision.outbox:
        if isinstance(event, AffinityScored):
            PAIRS_SCORED.labels(consent=event.consent).inc()
