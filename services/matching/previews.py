"""Preview of match requests: the decision itself, on a copy of the edition's state that is thrown away."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy

from services.matching.domain.decide import Matchmaker
from services.matching.domain.event_effects import EventEffects
from services.matching.domain.publication import PairsPublication
from services.matching.domain.state import MatchingState
from shared.contract.events import AffinityScored, MatchRequestChanged


class RequestsBehind(Exception):
    """The state has not received all facts that the requests are based on."""


class RequestsOutdated(Exception):
    """The state has received a revision of a request that is as new as the previewed revision."""


def affinities_after(
    state: MatchingState, matchmaker: Matchmaker, requests: Sequence[MatchRequestChanged]
) -> list[AffinityScored]:
    """Return the affinities that the requests would publish, the newest of each pair. The state stays as it is.

    Raises:
        RequestsBehind, RequestsOutdated: the state does not have the facts that the requests are based on.
    """
    _must_be_at_base(state, requests)
    pool = matchmaker.pool(state)
    if pool is None:
        raise RequestsBehind("the edition has not arrived")
    copied, published = _copy_of(state), list[AffinityScored]()
    for request in requests:
        effects = EventEffects(copied, request, [], published)
        effects.record()
        effects.update(pool)
        while copied.left is not None:
            PairsPublication(copied, pool, [], published).publish_next()
    return list({affinity.pair_id: affinity for affinity in published}.values())


def _must_be_at_base(state: MatchingState, requests: Sequence[MatchRequestChanged]) -> None:
    if state.left is not None:
        raise RequestsBehind("affinities of earlier changes are still being published")
    for request in requests:
        known = state.requests.get(request.request_id)
        revision = known.revision if known else 0
        if revision >= request.revision:
            raise RequestsOutdated(f"{request.request_id} is at revision {revision} already")
        parties = (request.requester_id, request.target_id)
        if revision < request.revision - 1 or not all(map(state.complete, filter(None, parties))):
            raise RequestsBehind(f"facts of {request.request_id} have not arrived")


def _copy_of(state: MatchingState) -> MatchingState:
    """Return a copy whose containers are its own, as deep as `evolve` writes them."""
    fields = {name: copy(getattr(state, name)) for name in MatchingState.model_fields}
    fields["open_requests"] = {requester: list(ids) for requester, ids in state.open_requests.items()}
    fields["links"] = {
        participant_id: {partner_id: list(ids) for partner_id, ids in partners.items()}
        for participant_id, partners in state.links.items()
    }
    return MatchingState.model_construct(**fields)
