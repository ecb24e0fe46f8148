"""Explains to an organiser why a pair has no encounter, and lists the pairs that are proposed."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np

from services.matching.domain.publication import Publisher
from services.matching.domain.scoring.pool import Pool
from services.matching.domain.state import MatchingState
from shared.contract.events import AffinityScored, Consent, Origin, RequestState
from shared.contract.ids import pair_id, pair_of
from shared.internal_api.pairs import CandidatePartner, Hindrance, PairAnswer, Proposal, ProposalPage, ranked


def explain_pair(
    state: MatchingState, pool: Pool | None, first_id: str, second_id: str, missing_version: str | None = None
) -> PairAnswer:
    """Return the current score of a pair and all its hindrances, the most final first. Changes nothing.

    The answer names `missing_version`, the edition's version if it is not installed (`Matchmaker.missing_version`).
    """
    pair = pair_of(first_id, second_id)
    if state.rules is None or pool is None:
        return PairAnswer(participant_ids=pair, hindrances=(Hindrance.EDITION_UNKNOWN,))
    if not (state.complete(first_id) and state.complete(second_id)):
        return PairAnswer(participant_ids=pair, hindrances=(Hindrance.PARTICIPANT_UNKNOWN,))
    publisher, published = Publisher(state, pool), state.published.get(pair_id(state.edition_id, *pair))
    if published is None:
        ((_, scored, _),) = publisher.scored([pair])
    else:
        scored = publisher.last_score(pair)
    return PairAnswer(
        participant_ids=pair,
        hindrances=tuple(_hindrances(state, pool, pair, scored["score"])),
        consent=published.consent if published else None,
        least_affinity=state.rules.least_affinity,
        missing_version=missing_version,
        proposed=published is not None and _is_proposed(published),
        requested_by=published.requested_by if published else (),
        **scored,
    )


def proposals_of(state: MatchingState, page: ProposalPage) -> list[Proposal]:
    """List the pairs of a page that matching proposes now, best first."""
    proposals = (_proposal(affinity) for affinity in state.published.values() if _is_proposed(affinity))
    asked = page.participant_id
    listed = (proposal for proposal in proposals if asked is None or asked in proposal.participant_ids)
    return ranked(filter(page.follows, listed), page.limit)


def candidates_of(state: MatchingState, pool: Pool | None, participant_id: str, limit: int) -> list[CandidatePartner]:
    """List the strangers who fit a participant best, best first, ties by id: no request stands between the two.

    Rivals, and pairs with nothing in common, are left out.
    """
    if state.rules is None or pool is None or not state.complete(participant_id):
        return []
    found, free = pool.affinities([participant_id]), pool.strangers(participant_id)
    allowed = free & found.grounded[0] & (found.scores[0] >= state.rules.least_affinity)
    best = sorted((-float(found.scores[0][row]), pool.ids[row]) for row in np.flatnonzero(allowed))
    pairs = (pair_of(participant_id, other_id) for _, other_id in best)
    open_pairs = (pair for pair in pairs if not _was_asked(state, pair) and not pool.are_rivals(*pair))
    chosen = list(islice(open_pairs, limit))
    scored = {pair: fields for pair, fields, _ in Publisher(state, pool).scored(chosen)} if chosen else {}
    return [_candidate(participant_id, pair, scored[pair]) for pair in chosen]


def _candidate(participant_id: str, pair: tuple[str, str], scored: dict[str, Any]) -> CandidatePartner:
    (other_id,) = {*pair} - {participant_id}
    return CandidatePartner(participant_id=other_id, score=scored["score"], reasons=scored["reasons"])


def _is_proposed(affinity: AffinityScored) -> bool:
    """Return whether matching proposes the pair: consent is refused once a proposal is withdrawn or declined."""
    return affinity.origin is Origin.PROPOSED and affinity.consent is not Consent.REFUSED


def _proposal(affinity: AffinityScored) -> Proposal:
    return Proposal(**{name: getattr(affinity, name) for name in Proposal.model_fields})


def _hindrances(state: MatchingState, pool: Pool, pair: tuple[str, str], score: float) -> Iterator[Hindrance]:
    identity = pair_id(state.edition_id, *pair)
    published, encounter = state.published.get(identity), state.encounters.get(identity)
    if published is not None and published.consent is Consent.GRANTED:
        if encounter and encounter.waiting_reason:
            yield Hindrance(encounter.waiting_reason.value)
        return
    yield from _final_hindrances(state, pool, pair)
    if published is not None and published.consent is Consent.PENDING:
        yield Hindrance.ANSWER_AWAITED
        return
    if not _was_asked(state, pair):
        yield Hindrance.NOBODY_ASKED
    yield from _proposal_hindrances(state, pool, pair, score)


def _final_hindrances(state: MatchingState, pool: Pool, pair: tuple[str, str]) -> Iterator[Hindrance]:
    """Yield the hindrances that bar the pair whoever requests it. Competitors are only barred from proposals."""
    first_id, second_id = pair
    first, second = state.participants[first_id], state.participants[second_id]
    if not (state.active(first_id) and state.active(second_id)):
        yield Hindrance.CANCELLED
    if first.organisation_id == second.organisation_id:
        yield Hindrance.SAME_ORGANISATION
    if state.blocked(first_id, second_id):
        yield Hindrance.BLOCKED
    if second_id in first.declined_ids or first_id in second.declined_ids or _was_declined(state, pair):
        yield Hindrance.DECLINED
    if pool.compete(first.organisation_id, second.organisation_id):
        yield Hindrance.COMPETITORS


def _was_declined(state: MatchingState, pair: tuple[str, str]) -> bool:
    """Return whether either participant declined a request of the partner."""
    requests = (request for _, request in state.requests_between(*pair) if request.target_id is not None)
    return any(request.state is RequestState.DECLINED for request in requests)


def _was_asked(state: MatchingState, pair: tuple[str, str]) -> bool:
    """Return whether a request between the two stands or was declined. A withdrawn request does not count."""
    return _was_declined(state, pair) or any(request.live for _, request in state.requests_between(*pair))


def _proposal_hindrances(state: MatchingState, pool: Pool, pair: tuple[str, str], score: float) -> Iterator[Hindrance]:
    """Yield the hindrances that keep the pair from being proposed."""
    first_id, second_id = pair
    if not pool.affinities([first_id], pool.rows([second_id])).grounded[0, 0]:
        yield Hindrance.NOTHING_IN_COMMON
    if pool.are_rivals(first_id, second_id):
        yield Hindrance.RIVALS
    if state.rules is not None and score < state.rules.least_affinity:
        yield Hindrance.BELOW_LEAST_AFFINITY
    if state.at_capacity(first_id) or state.at_capacity(second_id):
        yield Hindrance.QUOTA_REACHED
