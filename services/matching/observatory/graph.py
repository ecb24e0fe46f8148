"""The graph of an edition: participation, affinities, requests and encounters. Ids and codes, nothing personal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from services.matching.domain.state import MatchingState
from services.matching.domain.taxonomy import nace_path, of_scheme
from shared.contract.events import Consent, RequestState

_SCHEMES: Final = ("ket", "nace", "s3")


@dataclass(frozen=True)
class OrganisationNode:
    """An organisation that takes part, with its codes and the codes of its participants, sorted."""

    organisation_id: str
    kind: str
    country: str
    region: str | None
    delegation: str | None
    codes: tuple[str, ...]
    participant_ids: tuple[str, ...]

    @property
    def territory(self) -> tuple[str, ...]:
        """Region and country, finest first."""
        return (f"{self.country}/{self.region}", self.country) if self.region else (self.country,)

    @property
    def sector(self) -> tuple[str, ...]:
        """Main activity as division and section of NACE; empty without a code. The first code is the main activity."""
        paths = (nace_path(code) for code in self.codes if code.startswith("nace:"))
        return tuple(f"nace:{step}" for step in reversed(next(paths, ())[:2]))


@dataclass(frozen=True)
class PairEdge:
    """Two participants, sorted, joined by an affinity, a request or an encounter.

    Attributes:
        asked_by: participants of the pair with a directed request to the partner, in any state; sorted.
        answer: state of these requests: accepted if any was, else declined if any was.
        encounter: state of their encounter, or None without an encounter.
    """

    participant_ids: tuple[str, str]
    organisation_ids: tuple[str, str]
    affinity: float
    consent: str
    origin: str
    asked_by: tuple[str, ...]
    answer: str | None
    encounter: str | None


@dataclass(frozen=True)
class EarlierEdge:
    """Two organisations, sorted, that met in an earlier edition, and whether there was an outcome."""

    organisation_ids: tuple[str, str]
    outcome: bool


@dataclass(frozen=True)
class EditionGraph:
    """The whole graph, in the order of ids: equal editions give equal graphs."""

    edition_id: str
    parties: Mapping[str, OrganisationNode]
    pairs: tuple[PairEdge, ...]
    earlier: tuple[EarlierEdge, ...]


def graph_of(state: MatchingState) -> EditionGraph:
    """Build the graph of the active participants of an edition."""
    active = [
        participant_id
        for participant_id in sorted(state.participants)
        if state.complete(participant_id) and state.active(participant_id)
    ]
    members: dict[str, list[str]] = defaultdict(list)
    for participant_id in active:
        members[state.participants[participant_id].organisation_id].append(participant_id)
    parties = {
        organisation_id: _party(state, organisation_id, tuple(participant_ids))
        for organisation_id, participant_ids in sorted(members.items())
    }
    there = set(active)
    pairs = (_pair(state, pair, published.participant_ids) for pair, published in sorted(state.published.items()))
    joined = tuple(pair for pair in pairs if there.issuperset(pair.participant_ids))
    return EditionGraph(state.edition_id, parties, joined, _earlier(state, parties))


def links(graph: EditionGraph) -> dict[tuple[str, str], float]:
    """Return the strength of links between organisations: the sum of their affinities that are not refused."""
    weights: dict[tuple[str, str], float] = defaultdict(float)
    for pair in graph.pairs:
        first, second = sorted(pair.organisation_ids)
        if pair.consent != Consent.REFUSED and first != second:
            weights[first, second] += pair.affinity
    return {ends: weight for ends, weight in sorted(weights.items()) if weight > 0}


def _party(state: MatchingState, organisation_id: str, participant_ids: tuple[str, ...]) -> OrganisationNode:
    organisation = state.organisations[organisation_id]
    named = [
        *organisation.codes,
        *(code for participant_id in participant_ids for code in state.participants[participant_id].profile.codes),
    ]
    kept = {code for scheme in _SCHEMES for code in of_scheme(scheme, named)}
    return OrganisationNode(
        organisation_id,
        organisation.kind.value,
        organisation.country,
        organisation.region,
        organisation.delegation,
        tuple(dict.fromkeys(code for code in named if code in kept)),
        participant_ids,
    )


def _pair(state: MatchingState, identity: str, participant_ids: tuple[str, str]) -> PairEdge:
    published = state.published[identity]
    directed = [request for _, request in state.requests_between(*participant_ids) if request.target_id is not None]
    states = {request.state for request in directed}
    answer = next(
        (
            participant_id
            for participant_id in (RequestState.ACCEPTED, RequestState.DECLINED, *RequestState)
            if participant_id in states
        ),
        None,
    )
    encounter = state.encounters.get(identity)
    first, second = (state.participants[participant_id].organisation_id for participant_id in participant_ids)
    return PairEdge(
        participant_ids,
        (first, second),
        published.score,
        published.consent.value,
        published.origin.value,
        tuple(sorted({request.requester_id for request in directed})),
        answer.value if answer else None,
        encounter.state.value if encounter else None,
    )


def _earlier(state: MatchingState, parties: Mapping[str, OrganisationNode]) -> tuple[EarlierEdge, ...]:
    outcomes: dict[tuple[str, str], bool] = {}
    for organisation_id in parties:
        for met in state.organisations[organisation_id].met_before:
            if met.organisation_id in parties:
                ends = (min(organisation_id, met.organisation_id), max(organisation_id, met.organisation_id))
                outcomes[ends] = outcomes.get(ends, False) or met.outcome
    return tuple(EarlierEdge(ends, outcome) for ends, outcome in sorted(outcomes.items()))
