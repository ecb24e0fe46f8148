"""Decisions about pairs with the terms known at the time: the input for fitting weights."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

from pydantic import BaseModel, Field

from services.matching.domain.changes import (
    Change,
    EncounterRecorded,
    PairScored,
    PartnersProposed,
    ProposalRoundRecorded,
    RequestRecorded,
)
from services.matching.domain.scoring.affinity import MET_BEFORE
from shared.contract.events import Origin, RequestState
from shared.contract.ids import pair_of

Pair = tuple[str, str]


class PairDecision(BaseModel):
    """A line of the export. Anonymous: `pair` is a keyed hash, and no word of a profile is included.

    Attributes:
        terms: 0..1, at the time of the answer, or else at the first score.
        met_before: 1 if the organisations had met in an earlier edition without an outcome.
        shown: the pair was proposed.
        requested: there is a directed request.
        accepted: the last answer; None without an answer.
        held: whether the encounter was held or missed; None before it ends.
        outcome: whether there was an outcome; None if unknown.
    """

    edition: str
    pair: str
    configuration: str
    terms: dict[str, float]
    met_before: int
    shown: bool = False
    requested: bool = False
    accepted: bool | None = None
    held: bool | None = None
    outcome: bool | None = Field(default=None, description="The bus does not carry outcomes yet.")


class _Story:
    """The history of a pair, collected from its changes."""

    def __init__(self) -> None:
        self.scored: PairScored | None = None
        self.decided_on: PairScored | None = None
        self.shown = self.requested = False
        self.accepted: bool | None = None
        self.held: bool | None = None


def pair_decisions(edition_id: str, changes: Iterable[Change], key: bytes) -> list[PairDecision]:
    """Return the decisions of an edition from its journal's changes, sorted by the hash of the pair.

    Hashes depend on `key`: without it, a pair cannot be identified.
    """
    reader = _Reader()
    for change in changes:
        reader.read(change)
    told = [_decision(edition_id, pair, story, key) for pair, story in reader.stories.items() if story.decided_on]
    return sorted(told, key=lambda decision: decision.pair)


class _Reader:
    """Reads changes in order."""

    def __init__(self) -> None:
        self.stories: dict[Pair, _Story] = {}
        self._requesters: dict[str, str] = {}

    def read(self, change: Change) -> None:
        match change:
            case RequestRecorded():
                self._read_request(change)
            case PartnersProposed():
                for partner_id in change.partner_ids:
                    self._story(self._requesters[change.request_id], partner_id).shown = True
            case ProposalRoundRecorded():
                for pair in change.pairs:
                    self._story(*pair).shown = True
            case PairScored():
                self._read_score(change)
            case EncounterRecorded():
                self._story(*change.participant_ids).held = change.encounter.held

    def _read_request(self, change: RequestRecorded) -> None:
        request = change.request
        self._requesters[change.request_id] = request.requester_id
        if request.target_id is None:
            return
        story = self._story(request.requester_id, request.target_id)
        story.requested = True
        if request.state in (RequestState.ACCEPTED, RequestState.DECLINED):
            story.accepted = request.state is RequestState.ACCEPTED
            story.decided_on = story.scored

    def _read_score(self, change: PairScored) -> None:
        story = self._story(*change.affinity.participant_ids)
        if change.terms:
            story.scored = change
        story.shown |= change.affinity.origin is Origin.PROPOSED
        story.decided_on = story.decided_on or story.scored

    def _story(self, one: str, other: str) -> _Story:
        return self.stories.setdefault(pair_of(one, other), _Story())


def _decision(edition_id: str, pair: Pair, story: _Story, key: bytes) -> PairDecision:
    scored = story.decided_on
    assert scored is not None  # noqa: S101 - only pairs that were scored are told
    terms = {name: value for name, value in scored.terms.items() if name != MET_BEFORE}
    return PairDecision(
        edition=edition_id,
        pair=blake2b("/".join((edition_id, *pair)).encode(), key=key, digest_size=16).hexdigest(),
        configuration=scored.affinity.configuration,
        terms=terms,
        met_before=int(scored.terms.get(MET_BEFORE, 0)),
        shown=story.shown,
        requested=story.requested,
        accepted=story.accepted,
        held=story.held,
    )
