"""Rebuilds matching's state from the topics: the consumed events, and the affinities as published.

Not on the topics, so not rebuilt: the pairs of proposal rounds that a participant requested later; the order of two
open requests that changed; the terms of scores from the quality tier.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from services.matching.aggregate import MatchingAggregate
from services.matching.configurations import configurations_in
from services.matching.domain.changes import (
    Change,
    EncounterRecorded,
    OperatorRecorded,
    OrganisationRecorded,
    PairScored,
    ParticipantRecorded,
    PartnersProposed,
    ProposalRoundRecorded,
    RequestRecorded,
    RulesRecorded,
)
from services.matching.domain.decide import Matchmaker
from services.matching.domain.publication import Publisher
from services.matching.domain.scoring.pool import Pool
from services.matching.domain.snapshots import (
    EditionRules,
    EncounterSnapshot,
    OrganisationSnapshot,
    ParticipantSnapshot,
    RequestSnapshot,
)
from services.matching.domain.state import MatchingState
from services.matching.domain.text.ngrams import NgramScorer
from services.matching.encoders import default_scorer
from services.matching.settings import Settings
from services.matching.texts import ProfileTexts
from shared.contract.events import (
    AffinityScored,
    Consent,
    EditionChanged,
    EncounterChanged,
    MatchRequestChanged,
    OrganisationChanged,
    OrganisationErased,
    ParticipantChanged,
    ParticipantErased,
)
from shared.contract.topics import AFFINITY, topics_of
from shared.messaging.topic_log import EditionEvents
from shared.runtime.settings import read_settings
from shared.storage.mongo import MongoDatabase
from shared.storage.people import newest
from shared.storage.rebuild import JournalDraft, Rebuilt, View, as_json, read_journal, write_journal

Terms = dict[str, dict[str, float]]


class Scores(Protocol):
    """Computes scores again: a `Matchmaker`."""

    def pool(self, state: MatchingState) -> Pool | None:
        """Return the arrays of a state; None while the rules are unknown."""


_TEXTS = ProfileTexts()


class MatchingRebuilder:
    """See `tertulia.rebuilding.core.Rebuilder`."""

    consumed = topics_of("matching")
    published = (AFFINITY,)

    def __init__(self) -> None:
        self.settings = read_settings(Settings)
        configurations = configurations_in(self.settings.configurations)
        self._matchmaker = Matchmaker([NgramScorer(), default_scorer()], configurations)
        self._aggregate = MatchingAggregate(self._matchmaker)

    async def write(
        self, database: MongoDatabase, edition_id: str, consumed: EditionEvents, published: EditionEvents
    ) -> Rebuilt:
        """Write an edition's journal, and note the pairs with another score when computed again."""
        draft, otherwise = state_of(edition_id, consumed, published, self._aggregate, self._matchmaker)
        await write_journal(database, self._aggregate, draft, consumed, _TEXTS)
        notes = [f"{len(otherwise)} scores come out otherwise now: {', '.join(otherwise[:5])}"] if otherwise else []
        if missing := self._matchmaker.missing_version(draft.state):
            notes.append(f"affinity version {missing!r} is not installed: is TERTULIA_CONFIGURATIONS the service's?")
        return Rebuilt(len(draft.state.published), notes)

    async def view(self, database: MongoDatabase, edition_id: str) -> View:
        """Return the state as comparable values; empty without a journal."""
        state = await read_journal(database, self._aggregate, edition_id, _TEXTS)
        return view_of(state) if state else {}


def view_of(state: MatchingState) -> View:
    """Return a state as comparable values, without derived fields and without encounters that have not ended."""
    return {
        "rules": as_json({state.edition_id: state.rules} if state.rules else {}),
        "organisations": as_json(state.organisations),
        "participants": as_json(state.participants, exclude={"texts"}),
        "texts": newest(_TEXTS.texts_of(state)),
        "requests": as_json(state.requests),
        "affinities": as_json(state.published),
        "proposals": {request: list(partners) for request, partners in state.proposals.items() if partners},
        "held": {pair: encounter.held for pair, encounter in state.encounters.items() if encounter.held is not None},
        "filled": {state.edition_id: state.filled},
    }


def state_of(
    edition_id: str, consumed: EditionEvents, published: EditionEvents, aggregate: MatchingAggregate, scores: Scores
) -> tuple[JournalDraft[MatchingState, Change], list[str]]:
    """Return the rebuilt state with its changes, and the ids of pairs with another score when computed again."""
    draft = JournalDraft[MatchingState, Change](aggregate, edition_id)
    _learn(draft, consumed)
    pool = scores.pool(draft.state)
    affinities = published.newest(AffinityScored)
    terms, otherwise = _reckoned(draft.state, pool, affinities) if pool else ({}, [])
    for affinity in affinities:
        draft.record(PairScored(affinity=affinity, terms=terms.get(affinity.pair_id, {})))
    _bring_up(draft, affinities)
    if pool:
        _propose(draft, pool, affinities)
    return draft, otherwise


def _learn(draft: JournalDraft[MatchingState, Change], consumed: EditionEvents) -> None:
    if consumed.operator_id is not None:
        draft.record(OperatorRecorded(operator_id=consumed.operator_id))
    organisations: list[OrganisationChanged | OrganisationErased] = [
        *consumed.newest(OrganisationChanged),
        *consumed.newest(OrganisationErased),
    ]
    for organisation in organisations:
        draft.record(
            OrganisationRecorded(
                organisation_id=organisation.organisation_id, organisation=OrganisationSnapshot.of(organisation)
            )
        )
    participants: list[ParticipantChanged | ParticipantErased] = [
        *consumed.newest(ParticipantChanged),
        *consumed.newest(ParticipantErased),
    ]
    for participant in participants:
        draft.record(
            ParticipantRecorded(
                participant_id=participant.participant_id, participant=ParticipantSnapshot.of(participant)
            )
        )
    for request in consumed.newest(MatchRequestChanged):
        draft.record(RequestRecorded(request_id=request.request_id, request=RequestSnapshot.of(request)))
    for edition in consumed.newest(EditionChanged):
        draft.record(RulesRecorded(rules=EditionRules.of(edition)))
    for encounter in consumed.newest(EncounterChanged):
        draft.record(
            EncounterRecorded(participant_ids=encounter.participant_ids, encounter=EncounterSnapshot.of(encounter))
        )


def _reckoned(state: MatchingState, pool: Pool, affinities: Sequence[AffinityScored]) -> tuple[Terms, list[str]]:
    """Return the terms behind the scores, and the pairs with another score now; for scores of the default tier only."""
    comparable = [
        affinity
        for affinity in affinities
        if affinity.configuration == pool.version
        and all(state.complete(participant_id) for participant_id in affinity.participant_ids)
    ]
    terms: Terms = {}
    changed = []
    scored = Publisher(state, pool).scored([affinity.participant_ids for affinity in comparable])
    for affinity, (_, computed, pair_terms) in zip(comparable, scored, strict=True):
        if computed["score"] == affinity.score:
            terms[affinity.pair_id] = pair_terms
        else:
            changed.append(affinity.pair_id)
    return terms, changed


def _bring_up(draft: JournalDraft[MatchingState, Change], affinities: Iterable[AffinityScored]) -> None:
    """Record the organiser's last proposal round: pairs without requests are of this round or of earlier rounds."""
    filling = draft.state.rules.filling if draft.state.rules else None
    if filling is not None:
        pairs = tuple(sorted(affinity.participant_ids for affinity in affinities if not affinity.request_ids))
        draft.record(ProposalRoundRecorded(round=filling.round, pairs=pairs))


def _propose(draft: JournalDraft[MatchingState, Change], pool: Pool, affinities: Iterable[AffinityScored]) -> None:
    """Record the proposals of open requests, best first: the partners in the pairs that name the request."""
    state, proposed = draft.state, dict[str, list[str]]()
    for affinity in affinities:
        for request_id in affinity.request_ids if affinity.consent is not Consent.REFUSED else ():
            request = state.requests.get(request_id)
            if request is not None and request.target_id is None and request.live:
                partner = next(
                    participant_id
                    for participant_id in affinity.participant_ids
                    if participant_id != request.requester_id
                )
                proposed.setdefault(request_id, []).append(partner)
    for request_id in state.requests:
        partners = proposed.get(request_id, [])
        if partners:
            requester = state.requests[request_id].requester_id
            scores = dict(zip(partners, pool.affinities([requester], pool.rows(partners)).scores[0], strict=True))
            best = sorted(partners, key=lambda partner: (-scores[partner], partner))
            draft.record(PartnersProposed(request_id=request_id, partner_ids=tuple(best)))
