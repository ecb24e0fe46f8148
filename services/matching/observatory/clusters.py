"""Clusters of organisations: their names, by the codes that set them apart, and the organisations that bridge them."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from services.matching.domain.taxonomy import code_tokens
from services.matching.observatory.graph import OrganisationNode

#: Most codes in the name of a cluster.
TERMS: Final = 3
_DECIMALS: Final = 4

Links = Mapping[tuple[str, str], float]


def renumbered(found: Mapping[str, int]) -> dict[str, int]:
    """Return clusters by organisation, numbered from 0: the largest first, ties by the first id."""
    members: dict[int, list[str]] = defaultdict(list)
    for organisation_id in sorted(found):
        members[found[organisation_id]].append(organisation_id)
    ranked = sorted(members.values(), key=lambda ids: (-len(ids), ids))
    return {organisation_id: number for number, ids in enumerate(ranked) for organisation_id in ids}


def defining_codes(
    members: Iterable[OrganisationNode], everybody: Sequence[OrganisationNode], least: int
) -> tuple[str, ...]:
    """Return the codes that set a cluster apart, most telling first, among codes of at least `least` members.

    Weighed as words are for topics: by their share in the cluster and their rarity in all (class-based TF-IDF,
    Grootendorst 2022). Of a class and the group or division above it, only the more telling code is named.
    """
    inside = _counts(members)
    overall = _counts(everybody)
    size = max(1, len(everybody))
    weights = {
        code: round(count * math.log(1 + size / overall[code]), _DECIMALS)
        for code, count in inside.items()
        if count >= least
    }
    named: list[str] = []
    for code in sorted(weights, key=lambda code: (-weights[code], -len(code), code)):
        if not any(code.startswith(earlier) or earlier.startswith(code) for earlier in named):
            named.append(code)
    return tuple(named[:TERMS])


def participation(links: Links, cluster_of: Mapping[str, int]) -> dict[str, float]:
    """Return how evenly an organisation's links spread over clusters: 0 for a single cluster, towards 1 for all.

    The participation coefficient, `1 - sum of (share in a cluster) squared` (Guimera and Amaral, Nature 2005).
    """
    spread: dict[str, dict[int, float]] = defaultdict(lambda: defaultdict(float))
    for (first, second), weight in links.items():
        spread[first][cluster_of[second]] += weight
        spread[second][cluster_of[first]] += weight
    return {
        first: round(1 - sum((share / sum(shares.values())) ** 2 for share in shares.values()), _DECIMALS)
        for first, shares in sorted(spread.items())
    }


def bridges(links: Links, cluster_of: Mapping[str, int]) -> dict[tuple[int, int], frozenset[str]]:
    """Return, by pair of clusters, the organisations with links between the two."""
    found: dict[tuple[int, int], set[str]] = defaultdict(set)
    for first_id, second_id in links:
        low, high = sorted((cluster_of[first_id], cluster_of[second_id]))
        if low != high:
            found[low, high] |= {first_id, second_id}
    return {ends: frozenset(ids) for ends, ids in sorted(found.items())}


def _counts(parties: Iterable[OrganisationNode]) -> Counter[str]:
    """Count the organisations by code, levels above included. Whole schemes, such as `ket`, are no codes."""
    return Counter(code for party in parties for code in code_tokens(party.codes) if ":" in code)
