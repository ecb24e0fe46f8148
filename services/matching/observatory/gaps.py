"""Needs without an offer of another organisation, and offers without a need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.matching.domain.state import MatchingState
from services.matching.domain.text.scorer import Matrix, Role, TextScorer
from services.matching.observatory.graph import EditionGraph

#: A fit from which on an offer counts as an answer. Of needs whose answer was taken away, half have none left above it;
#: of those whose answer is there, a third are not recognised: the numbers of an edition are estimates (ADR 0014).
ANSWERS: Final = 0.4
_BLOCK: Final = 512


@dataclass(frozen=True)
class Gaps:
    """By participant, the numbers of needs without an offer, and of offers without a need."""

    needs: dict[str, tuple[int, ...]]
    offers: dict[str, tuple[int, ...]]


def gaps_of(state: MatchingState, graph: EditionGraph, scorer: TextScorer) -> Gaps:
    """Find the gaps among active participants. Items without telling words are left out."""
    owners = [
        (participant_id, place)
        for place, party in enumerate(graph.parties.values())
        for participant_id in party.participant_ids
    ]
    needs = _items(
        owners, [state.participants[participant_id].profile.needs for participant_id, _ in owners], Role.NEED, scorer
    )
    offers = _items(
        owners, [state.participants[participant_id].profile.offers for participant_id, _ in owners], Role.OFFER, scorer
    )
    return Gaps(_alone(needs, offers, scorer), _alone(offers, needs, scorer))


@dataclass(frozen=True)
class _Items:
    owners: list[tuple[str, int]]
    homes: NDArray[np.intp]
    vectors: Matrix


def _items(
    item_owners: Sequence[tuple[str, int]], texts: Sequence[Sequence[str]], role: Role, scorer: TextScorer
) -> _Items:
    vectors = scorer.embed([text for own_texts in texts for text in own_texts], role)
    owners = [
        (participant_id, number)
        for (participant_id, _), own_texts in zip(item_owners, texts, strict=True)
        for number in range(len(own_texts))
    ]
    homes = [home for (_, home), own_texts in zip(item_owners, texts, strict=True) for _ in own_texts]
    telling = np.flatnonzero(vectors.any(axis=1))
    return _Items([owners[item] for item in telling], np.array(homes, np.intp)[telling], vectors[telling])


def _alone(items: _Items, answers: _Items, scorer: TextScorer) -> dict[str, tuple[int, ...]]:
    found: dict[str, list[int]] = {}
    for at in range(0, len(items.owners), _BLOCK):
        block = slice(at, at + _BLOCK)
        cosines = np.full((len(items.owners[block]), 1 + len(answers.owners)), -1, np.float32)
        cosines[:, 1:] = items.vectors[block] @ answers.vectors.T
        cosines[:, 1:][items.homes[block, np.newaxis] == answers.homes] = -1
        best = scorer.fit(cosines.max(axis=1, keepdims=True))[:, 0]
        for (owner, number), fit in zip(items.owners[block], best, strict=True):
            if fit < ANSWERS:
                found.setdefault(owner, []).append(number)
    return {owner: tuple(numbers) for owner, numbers in sorted(found.items())}
