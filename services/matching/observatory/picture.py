"""The observatory's picture of an edition: capacities, needs and clusters, and the counts that are safe to publish."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from services.matching.domain.state import MatchingState
from services.matching.domain.text.scorer import TextScorer
from services.matching.observatory.clusters import bridges, defining_codes, participation, renumbered
from services.matching.observatory.gaps import Gaps, gaps_of
from services.matching.observatory.graph import EditionGraph, OrganisationNode, graph_of, links
from services.matching.observatory.k_anonymity import K, coarsened_groups, is_publishable, suppressed_counts
from shared.contract.events import EncounterState
from shared.internal_api.observatory import Bridge, Cluster, Counts, Group, Named, ObservatoryView

#: Divides the nodes of weighted links into numbered communities.
Communities = Callable[[Mapping[tuple[str, str], float]], dict[str, int]]
Labels = Mapping[str, Mapping[str, str]]

#: States of an encounter that is planned or was held.
_MEET: Final = frozenset({EncounterState.SCHEDULED, EncounterState.HELD})


class TooFewOrganisations(Exception):
    """Fewer organisations take part than the least count that is published."""


@dataclass(frozen=True)
class Picture:
    """The picture of an edition.

    Attributes:
        cluster_of: cluster by organisation; organisations without links have none.
        spread: by organisation with links, how evenly these spread over clusters; bridges have a high spread.
    """

    graph: EditionGraph
    links: Mapping[tuple[str, str], float]
    cluster_of: Mapping[str, int]
    spread: Mapping[str, float]
    gaps: Gaps

    @property
    def clusters(self) -> dict[int, list[OrganisationNode]]:
        """Members of the clusters, in order."""
        members: dict[int, list[OrganisationNode]] = defaultdict(list)
        for organisation_id, number in self.cluster_of.items():
            members[number].append(self.graph.parties[organisation_id])
        return dict(sorted(members.items()))


def picture_of(state: MatchingState, scorer: TextScorer, communities: Communities) -> Picture:
    """Draw an edition. Takes CPU time: embeds the texts that are not in the scorer's cache."""
    graph = graph_of(state)
    joined = links(graph)
    clusters = renumbered(communities(joined)) if joined else {}
    return Picture(graph, joined, clusters, participation(joined, clusters), gaps_of(state, graph, scorer))


def view_of(picture: Picture, labels: Labels) -> ObservatoryView:
    """Return the publishable counts of a picture. Raises `TooFewOrganisations`."""
    parties = picture.graph.parties
    if len(parties) < K:
        raise TooFewOrganisations(f"{len(parties)} organisations take part: counts are published from {K} on")
    properties = _properties(picture)
    in_cluster = coarsened_groups(
        {organisation_id: _path(picture.cluster_of.get(organisation_id)) for organisation_id in parties}
    )
    return ObservatoryView(
        edition_id=picture.graph.edition_id,
        total=_counts(dict.fromkeys(parties, None), properties)[None],
        by_sector=_groups({organisation_id: party.sector for organisation_id, party in parties.items()}, properties),
        by_territory=_groups(
            {organisation_id: party.territory for organisation_id, party in parties.items()}, properties
        ),
        by_kind=_groups({organisation_id: (party.kind,) for organisation_id, party in parties.items()}, properties),
        clusters=_clusters(picture, in_cluster, properties, labels),
        bridges=_bridges(picture, in_cluster),
    )


def _properties(picture: Picture) -> dict[str, frozenset[str]]:
    """Return the organisations that a count includes, by the name of the count. None is a subset by design."""
    organisation_of = {
        member_id: party.organisation_id
        for party in picture.graph.parties.values()
        for member_id in party.participant_ids
    }
    pairs = picture.graph.pairs
    return {
        "needs_without_offer": frozenset(organisation_of[member_id] for member_id in picture.gaps.needs),
        "offers_without_need": frozenset(organisation_of[member_id] for member_id in picture.gaps.offers),
        "asked": frozenset(organisation_of[member_id] for pair in pairs for member_id in pair.asked_by),
        "in_encounters": frozenset(
            member_id for pair in pairs if pair.encounter in _MEET for member_id in pair.organisation_ids
        ),
    }


def _counts(group_of: Mapping[str, str | None], properties: Mapping[str, frozenset[str]]) -> dict[str | None, Counts]:
    """Return the counts of the groups of a division: named groups by name, the rest last."""
    members: dict[str | None, set[str]] = defaultdict(set)
    for organisation_id, group in group_of.items():
        members[group].add(organisation_id)
    columns = {
        name: suppressed_counts({group: (len(ids & having), len(ids)) for group, ids in members.items()})
        for name, having in properties.items()
    }
    return {
        group: Counts(organisations=len(members[group]), **{name: column[group] for name, column in columns.items()})
        for group in sorted(members, key=lambda group: (group is None, group or ""))
    }


def _groups(paths: Mapping[str, Sequence[str]], properties: Mapping[str, frozenset[str]]) -> list[Group]:
    counted = _counts(coarsened_groups(paths), properties)
    return [Group(group=group, **dict(counts)) for group, counts in counted.items()]


def _clusters(
    picture: Picture,
    in_cluster: Mapping[str, str | None],
    properties: Mapping[str, frozenset[str]],
    labels: Labels,
) -> list[Cluster]:
    everybody, members = list(picture.graph.parties.values()), picture.clusters
    shown = []
    for group, counts in _counts(in_cluster, properties).items():
        number = None if group is None else int(group)
        terms = () if number is None else defining_codes(members[number], everybody, least=K)
        shown.append(Cluster(cluster=number, terms=labelled(terms, labels), **dict(counts)))
    return sorted(shown, key=lambda cluster: (cluster.cluster is None, cluster.cluster or 0))


def _bridges(picture: Picture, in_cluster: Mapping[str, str | None]) -> list[Bridge]:
    sizes = {number: len(members) for number, members in picture.clusters.items()}
    large = {int(group) for group in in_cluster.values() if group is not None}
    return [
        Bridge(clusters=ends, organisations=len(ids))
        for ends, ids in bridges(picture.links, picture.cluster_of).items()
        if large.issuperset(ends) and is_publishable(len(ids), sizes[ends[0]] + sizes[ends[1]])
    ]


def labelled(codes: Iterable[str], labels: Labels) -> list[Named]:
    """Return codes with their labels, if any."""
    return [Named(code=code, labels=dict(labels.get(code, {}))) for code in codes]


def _path(cluster: int | None) -> tuple[str, ...]:
    return () if cluster is None else (str(cluster),)
