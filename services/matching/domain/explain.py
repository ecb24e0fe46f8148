"""Why two participants are not brought together: the answer for an organiser who wonders."""

from __future__ import annotations

from collections.abc import Iterator

from services.matching.domain.publication import Publisher
from services.matching.domain.scoring.pool import Pool
from services.matching.domain.state import MatchingState
from shared.contract.events import Consent, RequestState
from shared.contract.ids import pair_id, pair_of
from shared.internal_api.pairs import Hindrance, PairAnswer


def explain_pair(state: MatchingState, pool: Pool | None, one: str, other: str) -> PairAnswer:
    """How a pair scores now, and all that stands in its way, the most final first. Changes nothing."""
    pair = pair_of(one, other)
    if state.rules is None or pool is None:
        return PairAnswer(participant_ids=pair, hindrances=(Hindrance.EDITION_UNKNOWN,))
    if not (state.complete(one) and state.complete(other)):
        return PairAnswer(participant_ids=pair, hindrances=(Hindrance.PARTICIPANT_UNKNOWN,))
    speaker, said = Publisher(state, pool), state.published.get(pair_id(state.edition_id, *pair))
    if said is None:
        ((_, scored, _),) = speaker.scored([pair])
    else:
        scored = speaker.standing(pair)
    return PairAnswer(
        participant_ids=pair,
        hindrances=tuple(_hindrances(state, pool, pair, scored["score"])),
        consent=said.consent if said else None,
        least_affinity=state.rules.least_affinity,
        **scored,
    )


def _hindrances(state: MatchingState, pool: Pool, pair: tuple[str, str], score: float) -> Iterator[Hindrance]:
    said = state.published.get(pair_id(state.edition_id, *pair))
    if said is not None and said.consent is Consent.GRANTED:
        return
    yield from _for_good(state, pool, pair)
    if said is not None and said.consent is Consent.PENDING:
        yield Hindrance.ANSWER_AWAITED
        return
    yield Hindrance.NOBODY_ASKED
    yield from _for_proposals(state, pool, pair, score)


def _for_good(state: MatchingState, pool: Pool, pair: tuple[str, str]) -> Iterator[Hindrance]:
    """What bars the pair whoever asks, but for competitors: those are not proposed, and may ask."""
    one, other = pair
    first, second = state.participants[one], state.participants[other]
    if not (state.active(one) and state.active(other)):
        yield Hindrance.CANCELLED
    if first.organisation_id == second.organisation_id:
        yield Hindrance.SAME_ORGANISATION
    if state.blocked(one, other):
        yield Hindrance.BLOCKED
    answers = {request.state for _, request in state.requests_between(one, other) if request.target_id is not None}
    if other in first.declined_ids or one in second.declined_ids or RequestState.DECLINED in answers:
        yield Hindrance.DECLINED
    if pool.compete(first.organisation_id, second.organisation_id):
        yield Hindrance.COMPETITORS


def _for_proposals(state: MatchingState, pool: Pool, pair: tuple[str, str], score: float) -> Iterator[Hindrance]:
    """What keeps the system from proposing the pair."""
    one, other = pair
    if not pool.affinities([one], pool.rows([other])).grounded[0, 0]:
        yield Hindrance.NOTHING_IN_COMMON
    if state.rules is not None and score < state.rules.least_affinity:
        yield Hindrance.BELOW_LEAST_AFFINITY
    if state.at_capacity(one) or state.at_capacity(other):
        yield Hindrance.QUOTA_REACHED
