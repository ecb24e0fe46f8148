"""Whom to propose for an open request, and which open requests a change concerns."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import numpy as np
from numpy.typing import NDArray

from services.matching.domain.facts import Request, Rules
from services.matching.domain.pool import Pool
from services.matching.domain.state import MatchingState
from shared.events import Phase
from shared.ids import pair_id


def best_partners(state: MatchingState, rules: Rules, pool: Pool, request_id: str) -> tuple[str, ...]:
    """The best `partners_wanted` strangers with something to talk about, best first, ties by id.

    While the edition is open it depends on nothing but who takes part. Once its agendas are published, partners
    proposed before stay as long as they may: late arrivals fill gaps, they displace nobody.
    """
    request = state.requests[request_id]
    requester_id = request.requester_id
    if request.target_id is not None or not request.live:
        return ()
    if not state.complete(requester_id) or not state.active(requester_id):
        return ()
    terms = pool.terms(requester_id)
    scores, eligible = terms.scores, pool.strangers(requester_id) & terms.grounded
    eligible &= scores >= rules.least_affinity
    eligible[pool.rows(_settled(state, requester_id))] = False
    kept = _kept(state, rules, pool, request_id, eligible)[: request.partners_wanted]
    eligible[pool.rows(kept)] = False
    chosen = [*kept, *_best(pool, scores, eligible, request.partners_wanted - len(kept))]
    by_score = dict(zip(chosen, scores[pool.rows(chosen)], strict=True))
    return tuple(sorted(chosen, key=lambda partner_id: (-by_score[partner_id], partner_id)))


def concerned(state: MatchingState, rules: Rules, pool: Pool, changed: Collection[str]) -> Iterator[str]:
    """The open requests whose partners may differ now that these participants have changed.

    Those that have one of them for a partner, or for a requester; and those that one of them fits as well as the
    last of the partners they have.
    """
    seeking = _seeking(state) if changed else {}
    yield from (one for one, request in seeking.items() if request.requester_id in changed)
    yield from (one for one in seeking if not set(state.proposals.get(one, ())).isdisjoint(changed))
    open_requests = [(one, request, _bar(state, rules, one)) for one, request in seeking.items()]
    rows = pool.rows(request.requester_id for request in seeking.values())
    bars = np.array([bar for _, _, bar in open_requests])
    for participant_id in changed if seeking else ():
        if state.complete(participant_id) and state.active(participant_id):
            terms = pool.terms(participant_id, rows)
            fits = terms.grounded & (terms.scores >= bars)
            yield from (open_requests[at][0] for at in np.flatnonzero(fits))


def _seeking(state: MatchingState) -> dict[str, Request]:
    """The open requests that stand and whose requester is complete."""
    return {
        request_id: state.requests[request_id]
        for requester_id, request_ids in state.open_requests.items()
        if state.complete(requester_id)
        for request_id in request_ids
        if state.requests[request_id].live
    }


def _bar(state: MatchingState, rules: Rules, request_id: str) -> float:
    """The score from which a newcomer matters to an open request."""
    request, partner_ids = state.requests[request_id], state.proposals.get(request_id, ())
    if len(partner_ids) < request.partners_wanted:
        return rules.least_affinity
    if rules.phase is not Phase.OPEN:
        return np.inf
    return state.published[pair_id(state.edition_id, request.requester_id, partner_ids[-1])].score


def _settled(state: MatchingState, requester_id: str) -> list[str]:
    """The partners not to propose: those the requester has asked, and those with whom a request came to nothing."""
    return [
        partner_id
        for partner_id in state.links.get(requester_id, {})
        if state.complete(partner_id)
        and any(
            request.target_id is not None and (request.requester_id == requester_id or not request.live)
            for _, request in state.between(requester_id, partner_id)
        )
    ]


def _kept(state: MatchingState, rules: Rules, pool: Pool, request_id: str, eligible: NDArray[np.bool_]) -> list[str]:
    if rules.phase is Phase.OPEN:
        return []
    before = [partner_id for partner_id in state.proposals.get(request_id, ()) if state.complete(partner_id)]
    return [partner_id for partner_id in before if eligible[pool.rows([partner_id])[0]]]


def _best(pool: Pool, scores: NDArray[np.float64], eligible: NDArray[np.bool_], wanted: int) -> list[str]:
    rows = np.flatnonzero(eligible)
    if wanted <= 0 or not len(rows):
        return []
    if len(rows) > wanted:
        rows = rows[scores[rows] >= np.partition(scores[rows], -wanted)[-wanted]]
    ranked = sorted((-scores[row], pool.ids[row]) for row in rows)
    return [partner_id for _, partner_id in ranked[:wanted]]
