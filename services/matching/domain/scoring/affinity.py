"""Affinities of pairs under a configuration, and their reasons: codes and data, no prose."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.matching.domain.scoring.configuration import AffinityConfiguration
from services.matching.domain.scoring.terms import Term, Values, ground
from services.matching.domain.snapshots import OrganisationSnapshot, ParticipantSnapshot
from services.matching.domain.state import MatchingState
from services.matching.domain.taxonomy import code_tokens, codes_of, cooperation_kinds, nace_proximity, of_scheme
from shared.contract.events import NeedMet, Reason

#: Decimals of weights and scores; smaller differences are noise.
DECIMALS: Final = 4
#: Reason of organisations that met in an earlier edition without an outcome. Its weight is 0: it lowers the score.
MET_BEFORE: Final = "met_before"
_CODES_NAMED: Final = 5
_DETAIL_LENGTH: Final = 300


@dataclass(frozen=True)
class Affinities:
    """Affinities of several participants with several partners; every array has shape (participants, partners).

    Attributes:
        terms: 0..1, by term with a weight in the configuration.
        in_vain: pairs of organisations that met in an earlier edition without an outcome.
    """

    configuration: AffinityConfiguration
    terms: Mapping[Term, Values]
    in_vain: NDArray[np.bool_]

    @cached_property
    def weights(self) -> Values:
        """Contribution of every term to every score, rounded; shape (terms, participants, partners)."""
        asked = self.configuration
        damping = np.where(self.in_vain, asked.met_before, 1.0)
        parts = np.stack([values * asked.weights[term] * damping for term, values in self.terms.items()])
        rounded: Values = np.round(parts, DECIMALS)
        return rounded

    @cached_property
    def scores(self) -> Values:
        """Affinities, 0..1: the sum of the contributions."""
        total: Values = np.round(self.weights.sum(axis=0), DECIMALS)
        return total

    @cached_property
    def grounded(self) -> NDArray[np.bool_]:
        """Pairs with common ground: see `terms.ground`."""
        return ground(self.terms)

    def of_pair(self, line: int, column: int) -> Affinity:
        """Return the affinity of the pair at this line and column."""
        weights = dict(zip(self.terms, self.weights[:, line, column].tolist(), strict=True))
        values = {term: round(float(of_all[line, column]), DECIMALS) for term, of_all in self.terms.items()}
        in_vain = bool(self.in_vain[line, column])
        return Affinity(float(self.scores[line, column]), weights, values, in_vain=in_vain)


@dataclass(frozen=True)
class Affinity:
    """The score of a pair, the contribution of every term, and the terms, 0..1."""

    score: float
    weights: Mapping[Term, float]
    values: Mapping[Term, float]
    in_vain: bool


def reasons_of(
    state: MatchingState, pair: tuple[str, str], affinity: Affinity, met: tuple[NeedMet, ...]
) -> tuple[Reason, ...]:
    """Return the reasons of a pair, heaviest first, without terms that add nothing. `met`: needs met by offers."""
    sides = [_Side.of(state, participant_id) for participant_id in pair]
    reasons = [
        Reason(
            code=term,
            weight=weight,
            detail=_DETAILS[term](*sides)[:_DETAIL_LENGTH],
            met=met if term is Term.NEED_OFFER else (),
        )
        for term, weight in affinity.weights.items()
        if weight > 0
    ]
    if affinity.in_vain:
        reasons.append(Reason(code=MET_BEFORE, weight=0))
    return tuple(sorted(reasons, key=lambda reason: (-reason.weight, reason.code)))


@dataclass(frozen=True)
class _Side:
    """A participant of a pair, with their organisation."""

    participant: ParticipantSnapshot
    organisation: OrganisationSnapshot

    @classmethod
    def of(cls, state: MatchingState, participant_id: str) -> _Side:
        participant = state.participants[participant_id]
        return cls(participant, state.organisations[participant.organisation_id])

    @property
    def codes(self) -> tuple[str, ...]:
        return codes_of(self.participant, self.organisation)


def _shared_of(scheme: str) -> Callable[[_Side, _Side], str]:
    return lambda first, second: _named(of_scheme(scheme, first.codes) & of_scheme(scheme, second.codes))


def _shared_codes(first: _Side, second: _Side) -> str:
    """Name the finest shared codes: `nace:25.6` is not named beside `nace:25.62`."""
    shared = code_tokens(first.codes) & code_tokens(second.codes)
    return _named({code for code in shared if not any(finer != code and finer.startswith(code) for finer in shared)})


def _nearest_sectors(first: _Side, second: _Side) -> str:
    """Name the two activities with the highest proximity; a single code if they are the same."""
    pairs = [
        (-nace_proximity(mine, theirs), mine, theirs)
        for mine in of_scheme("nace", first.codes)
        for theirs in of_scheme("nace", second.codes)
    ]
    return ", ".join(dict.fromkeys(min(pairs)[1:])) if pairs else ""


def _cooperation(first: _Side, second: _Side) -> str:
    """Name the kinds that the first participant seeks and the second answers."""
    theirs = cooperation_kinds(second.codes)
    return _named({f"coop:{kind}" for kind in cooperation_kinds(first.codes) if kind.answer in theirs})


def _nothing(_: _Side, __: _Side) -> str:
    return ""


def _named(codes: set[str]) -> str:
    return ", ".join(sorted(codes)[:_CODES_NAMED])


_DETAILS: Final[Mapping[Term, Callable[[_Side, _Side], str]]] = {
    # Texts of participants stay on `registration.v1`: the reason has the numbers of the items.
    Term.NEED_OFFER: _nothing,
    Term.SHARED_CODES: _shared_codes,
    Term.SECTOR: _nearest_sectors,
    Term.KETS: _shared_of("ket"),
    Term.S3: _shared_of("s3"),
    Term.COOPERATION: _cooperation,
    Term.HELIX: lambda first, second: ", ".join(sorted((first.organisation.kind, second.organisation.kind))),
    Term.CROSS_BORDER: lambda first, second: ", ".join(
        sorted((first.organisation.country, second.organisation.country))
    ),
    Term.DELEGATION: lambda first, second: ", ".join(
        sorted({side.organisation.country for side in (first, second) if side.organisation.delegation})
    ),
    Term.LANGUAGE: lambda first, second: ", ".join(
        sorted({*first.participant.languages} & {*second.participant.languages})
    ),
}
