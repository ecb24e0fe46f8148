"""What an affinity is made of: five terms, each 0..1, weighted; and the reasons that say so."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.matching.domain.facts import Organisation, Participant
from services.matching.domain.state import MatchingState
from services.matching.domain.text import words_of
from shared.events import OrganisationKind, Reason

#: The decimals a weight is rounded to, and so a score: less is noise.
DECIMALS: Final = 4
#: What a full term adds to the score, by the code of its reason; together 1.
WEIGHTS: Final = {
    "text_need_offer": 0.70,
    "shared_codes": 0.15,
    "helix_complement": 0.05,
    "cross_border": 0.05,
    "common_language": 0.05,
}
COMPANIES: Final = frozenset({OrganisationKind.SME, OrganisationKind.LARGE_COMPANY})
SCIENCE: Final = frozenset({OrganisationKind.RESEARCH_GROUP, OrganisationKind.TECHNOLOGY_CENTRE})
_TERMS_NAMED: Final = 5
_DETAIL_LENGTH: Final = 300


@dataclass(frozen=True)
class Terms:
    """The terms of several participants with several partners, 0..1, named as their reasons are.

    Every array has shape (participants, partners).
    """

    text_need_offer: NDArray[np.float64]
    shared_codes: NDArray[np.float64]
    helix_complement: NDArray[np.float64]
    cross_border: NDArray[np.float64]
    common_language: NDArray[np.float64]

    @property
    def weights(self) -> NDArray[np.float64]:
        """What each term adds to each score, rounded; shape (terms, participants, partners)."""
        parts = np.stack([getattr(self, term.name) * WEIGHTS[term.name] for term in fields(self)])
        rounded: NDArray[np.float64] = np.round(parts, DECIMALS)
        return rounded

    @property
    def scores(self) -> NDArray[np.float64]:
        """The affinities, 0..1: each the sum of its reasons' weights."""
        total: NDArray[np.float64] = np.round(self.weights.sum(axis=0), DECIMALS)
        return total

    @property
    def grounded(self) -> NDArray[np.bool_]:
        """Who has with whom something to talk about: a shared language alone is none."""
        return (self.text_need_offer > 0) | (self.shared_codes > 0)


def both_ways(forth: NDArray[np.float64], back: NDArray[np.float64]) -> NDArray[np.float64]:
    """The text term from the fit of one's needs to the other's offers and the reverse.

    A buyer and a seller fit one way only, so the better way counts most; the other adds to it.
    """
    return 0.7 * np.maximum(forth, back) + 0.3 * np.sqrt(forth * back)


def code_tokens(codes: tuple[str, ...]) -> set[str]:
    """Codes and, of those of a classification, the levels above: `nace:25.62` is also `nace:25.6` and `nace:25`."""
    tokens = set()
    for code in codes:
        scheme, _, value = code.partition(":")
        division, _, rest = value.partition(".")
        tokens |= {f"{scheme}:{division}.{rest[:length]}" for length in range(1, len(rest) + 1)}
        tokens.add(f"{scheme}:{division}" if value else scheme)
    return tokens


def codes_of(participant: Participant, organisation: Organisation) -> tuple[str, ...]:
    """The codes a participant stands for: their own and their organisation's."""
    return participant.profile.codes + organisation.codes


def reasons_of(state: MatchingState, one: str, other: str, weights: NDArray[np.float64]) -> tuple[Reason, ...]:
    """The reasons of a pair, heaviest first. `weights` has shape (terms,); terms that add nothing are left out."""
    details = _details(state, one, other)
    reasons = [
        Reason(code=code, weight=float(weight), detail=details[code][:_DETAIL_LENGTH])
        for code, weight in zip(WEIGHTS, weights, strict=True)
        if weight > 0
    ]
    return tuple(sorted(reasons, key=lambda reason: (-reason.weight, reason.code)))


def _details(state: MatchingState, one: str, other: str) -> dict[str, str]:
    first, second = state.participants[one], state.participants[other]
    home, away = state.organisations[first.organisation_id], state.organisations[second.organisation_id]
    return {
        "text_need_offer": ", ".join(_shared_words(first, second)),
        "shared_codes": ", ".join(_shared_codes(codes_of(first, home), codes_of(second, away))),
        "helix_complement": ", ".join(sorted((home.kind, away.kind))),
        "cross_border": ", ".join(sorted((home.country, away.country))),
        "common_language": ", ".join(sorted(set(first.languages) & set(second.languages))),
    }


def _shared_words(first: Participant, second: Participant) -> list[str]:
    """The longest words that one needs and the other offers, in the better direction; never digits, as in a phone."""
    forth = _words(first.profile.needs) & _words(second.profile.offers)
    back = _words(second.profile.needs) & _words(first.profile.offers)
    shared = max(forth, back, key=lambda words: (len(words), sorted(words)))
    return sorted(shared, key=lambda word: (-len(word), word))[:_TERMS_NAMED]


def _words(texts: tuple[str, ...]) -> set[str]:
    return {word for text in texts for word in words_of(text) if word.isalpha()}


def _shared_codes(codes: tuple[str, ...], others: tuple[str, ...]) -> list[str]:
    """The finest codes shared: `nace:25.6` is not named where `nace:25.62` is."""
    shared = code_tokens(codes) & code_tokens(others)
    finest = {code for code in shared if not any(finer != code and finer.startswith(code) for finer in shared)}
    return sorted(finest)[:_TERMS_NAMED]
