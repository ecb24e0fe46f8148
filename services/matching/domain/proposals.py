"""Proposals: the partners of open requests, and the open requests that a change affects."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.matching.domain.scoring.pool import Pool
from services.matching.domain.scoring.ragged import Rows
from services.matching.domain.snapshots import EditionRules, RequestSnapshot
from services.matching.domain.state import MatchingState
from shared.contract.events import Phase
from shared.contract.ids import pair_id

#: Open requests scored in one product of matrices: enough to be fast, few enough to need little memory.
_AT_ONCE: Final = 32


def best_partners(
    state: MatchingState, pool: Pool, request_ids: Iterable[str]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield open requests with their best `partners_wanted` strangers on common ground, best first, ties by id.

    Rivals (`TextIndex.are_rivals`) are left out.
    A participant is in no more proposal lists than encounters they can have. Requests that came first keep popular
    participants; later requests get the next best. Apart from this limit, proposals of an open edition depend only on
    its active participants. Once agendas are published, earlier proposals stay if they are still allowed: late
    arrivals fill gaps and displace no partner.

    Apply a yielded list to the state before asking for the next.
    """
    rules = state.rules
    if rules is None:
        return
    seeking = []
    for request_id in request_ids:
        if _may_seek(state, state.requests[request_id]):
            seeking.append(request_id)
        else:
            yield request_id, ()
    for at in range(0, len(seeking), _AT_ONCE):
        some = seeking[at : at + _AT_ONCE]
        affinities = pool.affinities(state.requests[request_id].requester_id for request_id in some)
        for request_id, scores, grounded in zip(some, affinities.scores, affinities.grounded, strict=True):
            yield request_id, _best_partners(state, rules, pool, request_id, scores, grounded)


def requests_to_update(state: MatchingState, pool: Pool, changed: Collection[str]) -> Iterator[str]:
    """Yield the open requests whose proposals may differ after a change of these participants.

    These are the requests of a changed participant, the requests with a changed participant among their proposals,
    and the requests that a changed participant fits as well as their last proposed partner.
    """
    rules = state.rules
    if rules is None or not changed:
        return
    seeking = _seeking(state)
    for participant_id in changed:
        yield from state.open_requests.get(participant_id, ())
    yield from (
        request_id for request_id in seeking if not set(state.proposals.get(request_id, ())).isdisjoint(changed)
    )
    newcomers = [
        participant_id for participant_id in changed if state.complete(participant_id) and state.active(participant_id)
    ]
    if seeking and newcomers:
        affinities = pool.affinities(newcomers, pool.rows(request.requester_id for request in seeking.values()))
        thresholds = np.array([_threshold(state, rules, request_id) for request_id in seeking])
        request_ids = list(seeking)
        _, fitting = np.nonzero(affinities.grounded & (affinities.scores >= thresholds))
        yield from (request_ids[at] for at in np.unique(fitting))


def _may_seek(state: MatchingState, request: RequestSnapshot) -> bool:
    is_open = request.target_id is None and request.live
    return is_open and state.complete(request.requester_id) and state.active(request.requester_id)


def _best_partners(
    state: MatchingState,
    rules: EditionRules,
    pool: Pool,
    request_id: str,
    scores: NDArray[np.float64],
    grounded: NDArray[np.bool_],
) -> tuple[str, ...]:
    request = state.requests[request_id]
    eligible = pool.strangers(request.requester_id) & grounded & (scores >= rules.least_affinity)
    eligible[pool.rows(unproposable(state, request.requester_id))] = False
    listed = set(state.proposals.get(request_id, ()))
    at_capacity = [
        participant_id
        for participant_id in state.exposure
        if state.at_capacity(participant_id) and participant_id not in listed and state.complete(participant_id)
    ]
    eligible[pool.rows(at_capacity)] = False
    kept = _kept(state, rules, pool, request_id, eligible)[: request.partners_wanted]
    eligible[pool.rows(kept)] = False
    chosen = [*kept, *_best(pool, request.requester_id, scores, eligible, request.partners_wanted - len(kept))]
    by_score = dict(zip(chosen, scores[pool.rows(chosen)], strict=True))
    return tuple(sorted(chosen, key=lambda partner_id: (-by_score[partner_id], partner_id)))


def _seeking(state: MatchingState) -> dict[str, RequestSnapshot]:
    """Return the live open requests of active requesters."""
    return {
        request_id: state.requests[request_id]
        for request_ids in state.open_requests.values()
        for request_id in request_ids
        if _may_seek(state, state.requests[request_id])
    }


def _threshold(state: MatchingState, rules: EditionRules, request_id: str) -> float:
    """Return the score from which a newcomer matters to an open request."""
    request, partner_ids = state.requests[request_id], state.proposals.get(request_id, ())
    if len(partner_ids) < request.partners_wanted:
        return rules.least_affinity
    if rules.phase is not Phase.OPEN:
        return np.inf
    published = state.published.get(pair_id(state.edition_id, request.requester_id, partner_ids[-1]))
    # A newly proposed partner has no published score yet, and a score of the quality tier does not rank the list:
    # any newcomer matters then.
    return published.score if published and published.configuration == rules.affinity_version else rules.least_affinity


def unproposable(state: MatchingState, requester_id: str) -> list[str]:
    """Return the partners not to propose: of the requester's directed requests, and of requests that failed."""
    return [
        partner_id
        for partner_id in state.links.get(requester_id, {})
        if state.complete(partner_id)
        and any(
            request.target_id is not None and (request.requester_id == requester_id or not request.live)
            for _, request in state.requests_between(requester_id, partner_id)
        )
    ]


def _kept(
    state: MatchingState, rules: EditionRules, pool: Pool, request_id: str, eligible: NDArray[np.bool_]
) -> list[str]:
    if rules.phase is Phase.OPEN:
        return []
    before = [partner_id for partner_id in state.proposals.get(request_id, ()) if state.complete(partner_id)]
    return [partner_id for partner_id in before if eligible[pool.rows([partner_id])[0]]]


def _best(
    pool: Pool, requester_id: str, scores: NDArray[np.float64], eligible: NDArray[np.bool_], wanted: int
) -> list[str]:
    if wanted <= 0:
        return []
    ranked = _ranked(pool, scores, np.flatnonzero(eligible), wanted)
    return [*islice((partner_id for partner_id in ranked if not pool.are_rivals(requester_id, partner_id)), wanted)]


def _ranked(pool: Pool, scores: NDArray[np.float64], rows: Rows, at_once: int) -> Iterator[str]:
    """Yield the participants of these rows, best first, ties by id. They are sorted in parts, as few are needed."""
    while len(rows):
        cut = np.partition(scores[rows], -at_once)[-at_once] if len(rows) > at_once else -np.inf
        top, rows = rows[scores[rows] >= cut], rows[scores[rows] < cut]
        yield from (participant_id for _, participant_id in sorted((-scores[row], pool.ids[row]) for row in top))
