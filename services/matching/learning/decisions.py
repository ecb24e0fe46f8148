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


class _PairHistory:
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
    reader = _HistoryReader()
    for change in changes:
        reader.read(change)
    found = [
        _decision(edition_id, pair, history, key) for pair, history in reader.histories.items() if history.decided_on
    ]
    return sorted(found, key=lambda decision: decision.pair)


class _HistoryReader:
    """Reads changes in order."""

    def __init__(self) -> None:
        self.histories: dict[Pair, _PairHistory] = {}
        self._requesters: dict[str, str] = {}

    def read(self, change: Change) -> None:
        match change:
            case RequestRecorded():
                self._read_request(change)
            case PartnersProposed():
                for partner_id in change.partner_ids:
                    self._history(self._requesters[change.request_id], partner_id).shown = True
            case ProposalRoundRecorded():
                for pair in change.pairs:
                    self._history(*pair).shown = True
            case PairScored():
                self._read_score(change)
            case EncounterRecorded():
                self._history(*change.participant_ids).held = change.encounter.held

    def _read_request(self, change: RequestRecorded) -> None:
        request = change.request
        self._requesters[change.request_id] = request.requester_id
        if request.target_id is None:
            return
        history = self._history(request.requester_id, request.target_id)
        history.requested = True
        if request.state in (RequestState.ACCEPTED, RequestState.DECLINED):
            history.accepted = request.state is RequestState.ACCEPTED
            history.decided_on = history.scored

    def _read_score(self, change: PairScored) -> None:
        history = self._history(*change.affinity.participant_ids)
        if change.terms:
            history.scored = change
        history.shown |= change.affinity.origin is Origin.PROPOSED
        history.decided_on = history.decided_on or history.scored

    def _history(self, first_id: str, second_id: str) -> _PairHistory:
        return self.histories.setdefault(pair_of(first_id, second_id), _PairHistory())


def _decision(edition_id: str, pair: Pair, history: _PairHistory, key: bytes) -> PairDecision:
    scored = history.decided_on
    assert scored is not None  # noqa: S101 - only pairs that were scored are told
    terms = {name: value for name, value in scored.terms.items() if name != MET_BEFORE}
    return PairDecision(
        edition=edition_id,
        pair=blake2b("/".join((edition_id, *pair)).encode(), key=key, digest_size=16).hexdigest(),
        configuration=scored.affinity.configuration,
        terms=terms,
        met_before=int(scored.terms.get(MET_BEFORE, 0)),
        shown=history.shown,
        requested=history.requested,
        accepted=history.accepted,
        held=history.held,
    )
