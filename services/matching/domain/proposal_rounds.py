"""Filling the agendas: pairs that the organiser's round of proposals brings up, the least served first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import numpy as np

from services.matching.domain.proposals import unproposable
from services.matching.domain.scoring.pool import Pool
from services.matching.domain.snapshots import EditionRules
from services.matching.domain.state import MatchingState
from shared.contract.events import Consent
from shared.contract.ids import pair_id, pair_of

#: A weighted pair: its affinity, and the two participants, sorted.
Edge = tuple[float, str, str]

#: Participants scored in one product of matrices.
_AT_ONCE: Final = 64
#: Partners considered for each participant, for each encounter they still need, and at least.
_CANDIDATES_EACH, _CANDIDATES_LEAST = 8, 32
_PRICE_STEPS: Final = 200
#: Pairs of a round, the least served first: what is said of them has to fit one entry of the journal, of 16 MB.
_PAIRS_A_ROUND: Final = 3000


def pairs_of_round(
    state: MatchingState, rules: EditionRules, pool: Pool, encounters: int
) -> tuple[tuple[str, str], ...]:
    """The pairs to bring up so that everybody has `encounters` to come, as far as affinities allow; sorted.

    At most `_PAIRS_A_ROUND`: another round goes on where this one ends.
    """
    standing = _standing(state)
    wanted = {
        one: room
        for one in pool.ids
        if state.complete(one) and state.active(one) and (room := encounters - standing.get(one, 0)) > 0
    }
    chosen = b_matching(candidates(state, rules, pool, wanted), wanted, standing)
    return tuple(sorted(chosen[:_PAIRS_A_ROUND]))


def b_matching(
    edges: Iterable[Edge], wanted: Mapping[str, int], standing: Mapping[str, int] = MappingProxyType({})
) -> list[tuple[str, str]]:
    """A b-matching: nobody gets more than `wanted`, and as long as it can be helped nobody less than others.

    Greedy, the heaviest edges first, by what is left of their weights when both sides have been paid for: the
    sought-after are dear (`dual_prices`). In rounds from the least served up: in each, edges of whose sides one at least
    has less than the round. 99 % of the linear programme's optimum on affinities, where plain greed has 93 (ADR 0012).
    """
    given = list(edges)
    price = dual_prices(given, wanted)
    left = sorted(given, key=lambda edge: (price[edge[1]] + price[edge[2]] - edge[0], edge[1:]))
    room = dict(wanted)
    served = {one: standing.get(one, 0) for one in wanted}
    chosen: list[tuple[str, str]] = []
    most = max((served[one] + wanted[one] for one in wanted), default=0)
    for level in range(min(served.values(), default=0) + 1, most + 1):
        later = []
        for edge in left:
            _, one, other = edge
            if not (room[one] and room[other]):
                continue
            if min(served[one], served[other]) >= level:
                later.append(edge)
                continue
            chosen.append((one, other))
            for side in (one, other):
                room[side] -= 1
                served[side] += 1
        left = later
    return chosen


def dual_prices(edges: Sequence[Edge], wanted: Mapping[str, int]) -> dict[str, float]:
    """What an encounter with each costs: the dual prices of the linear programme, by subgradient descent.

    Polyak, Introduction to Optimization (1987): whoever is asked for more often than they have room gets dearer. The
    best prices seen are kept; no programme of whole encounters weighs more than their bound.
    """
    lines = {one: line for line, one in enumerate(wanted)}
    price = best = np.zeros(len(lines))
    if not edges:
        return dict.fromkeys(lines, 0.0)
    weights = np.array([edge[0] for edge in edges])
    ones, others = (np.array([lines[pair[side]] for _, *pair in edges]) for side in (0, 1))
    room, least = np.array([float(wanted[one]) for one in lines]), np.inf
    for step in range(_PRICE_STEPS):
        left = weights - price[ones] - price[others]
        taken = left > 0
        bound = float(price @ room + left[taken].sum())
        if bound < least:
            least, best = bound, price
        asked = np.bincount(ones[taken], minlength=len(lines)) + np.bincount(others[taken], minlength=len(lines))
        excess = asked - room
        length = weights.max() / (2 + step / 2) / (room.max() + np.abs(excess).max())
        price = np.maximum(0, price + length * excess)
    return dict(zip(lines, best.tolist(), strict=True))


def candidates(state: MatchingState, rules: EditionRules, pool: Pool, wanted: Mapping[str, int]) -> Iterator[Edge]:
    """The best partners of each, among those who want any, as edges; none twice."""
    seen = set()
    takers = np.isin(np.array(pool.ids), list(wanted))
    for some in _chunks(list(wanted), _AT_ONCE):
        affinities = pool.affinities(some)
        for line, one in enumerate(some):
            scores = affinities.scores[line]
            eligible = pool.strangers(one) & takers & affinities.grounded[line] & (scores >= rules.least_affinity)
            eligible[pool.rows({*unproposable(state, one), *_linked(state, one)})] = False
            rows = np.flatnonzero(eligible)
            most = max(_CANDIDATES_LEAST, _CANDIDATES_EACH * wanted[one])
            for row in rows[np.lexsort((rows, -scores[rows]))][:most]:
                pair = pair_of(one, pool.ids[row])
                if pair not in seen:
                    seen.add(pair)
                    yield float(scores[row]), *pair


def _standing(state: MatchingState) -> dict[str, int]:
    """How many encounters each may still come to: what is granted or waits for an answer."""
    counts: dict[str, int] = {}
    for said in state.published.values():
        if said.consent is not Consent.REFUSED:
            for one in said.participant_ids:
                counts[one] = counts.get(one, 0) + 1
    return counts


def _linked(state: MatchingState, one: str) -> list[str]:
    """Those with whom something stands already."""
    return [
        other
        for other in state.links.get(one, ())
        if state.complete(other)
        and (said := state.published.get(pair_id(state.edition_id, one, other))) is not None
        and said.consent is not Consent.REFUSED
    ]


def _chunks(items: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for at in range(0, len(items), size):
        yield items[at : at + size]
