"""Judges whether an offer answers a need: the rule behind reasons that people read.

A cosine ranks partners; it does not tell a machine from its spare parts, a buyer from a seller, or two meanings of a
word. This rule reads trades, acts, places, materials and amounts by tables of terms, and weighs them with the cosine.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np

from services.matching.domain.text.limits import Amount, amounts_conflict, amounts_of, hardest
from services.matching.domain.text.scorer import Matrix
from services.matching.domain.text.trades import TermTable, words_of

#: Weight of a minor name beside a trade.
_MINOR: Final = 0.4
_STEM: Final = 5
_SHORT_WORD, _SHORT_TEXT = 3, 2
_MOST: Final = 3.0
#: Weights of a scorer that has none of its own: they leave out the cosine.
ANY_SCORER: Final = "any"
INTERCEPT: Final = "intercept"
_READINGS_KEPT: Final = 20_000


class Tables(NamedTuple):
    """Tables of terms. `answers`: trades that an offer of a trade answers as well."""

    trades: TermTable
    acts: TermTable
    places: TermTable
    answers: Mapping[str, frozenset[str]]


class Reading(NamedTuple):
    """A text as the rule reads it.

    Attributes:
        trades: all trades and minor names of the text; `head`: those before its purpose.
        answered: trades that the text answers as an offer; `answered_head`: those of its head.
    """

    trades: frozenset[str]
    head: frozenset[str]
    answered: frozenset[str]
    answered_head: frozenset[str]
    acts: frozenset[str]
    places: frozenset[str]
    stems: frozenset[str]
    is_short: bool
    amounts: tuple[Amount, ...]


class AnswerRule:
    """A versioned rule. Deterministic; thread-safe.

    Attributes:
        shown_from: least certainty of a need and an offer that are shown.
        weights: by version of the text scorer, the weights of a logistic regression by feature.
    """

    def __init__(
        self, version: str, tables: Tables, shown_from: float, weights: Mapping[str, Mapping[str, float]]
    ) -> None:
        self.version = version
        self.shown_from = shown_from
        self._tables = tables
        self._weights = weights
        self.read: Callable[[str], Reading] = lru_cache(_READINGS_KEPT)(self._read)

    def certainties(self, needs: Sequence[str], offers: Sequence[str], cosines: Matrix, scorer_version: str) -> Matrix:
        """Return how surely offers answer needs, 0..1; shape (needs, offers), as that of `cosines`."""
        found = np.zeros(cosines.shape, np.float32)
        weights = self._weights.get(scorer_version, self._weights[ANY_SCORER])
        asked, offered = [self.read(need) for need in needs], [self.read(offer) for offer in offers]
        for row, need in enumerate(asked):
            for column, offer in enumerate(offered):
                if self.may_answer(need, offer):
                    features = self.features(need, offer) | {"cosine": float(cosines[row, column])}
                    total = sum(weights.get(name, 0.0) * value for name, value in features.items())
                    found[row, column] = 1 / (1 + math.exp(-weights[INTERCEPT] - total))
        return found

    def trades_of(self, texts: Sequence[str]) -> frozenset[str]:
        """Return the trades of texts that are not only the purpose of a thing, without minor names."""
        return frozenset[str]().union(*(self.read(text).head for text in texts)) - self._tables.trades.minor

    def may_answer(self, need: Reading, offer: Reading) -> bool:
        """Tell whether an offer is in a trade of the need, and no amount or material rules it out."""
        if not (need.trades & offer.answered) - self._tables.trades.minor:
            return False
        asked = hardest(need.trades)
        too_soft = 0 < hardest(offer.trades) < asked
        return not too_soft and not amounts_conflict(need.amounts, offer.amounts)

    def features(self, need: Reading, offer: Reading) -> dict[str, float]:
        """Return the features of a need and an offer without the cosine, by name."""
        trades = (offer.answered & need.trades) | offer.trades
        head = (offer.answered_head & need.trades) | offer.head
        shared, core = need.trades & trades, (need.head & head) - self._tables.trades.minor
        return {
            "core": min(2.0, len(core)),
            "one_core": float(bool(core)),
            "minor": min(2.0, len(shared & self._tables.trades.minor)),
            "need_covered": self._share(shared, need.trades),
            "offer_covered": self._share(shared, trades),
            "need_head_covered": self._share(need.head & trades, need.head),
            "offer_head_covered": self._share(head & need.trades, head),
            "whole_need": float(shared == need.trades),
            "need_left": min(_MOST, self._weight(need.trades - shared)),
            "offer_left": min(_MOST, self._weight(head - shared)),
            "section": float(bool(self._sections(need.head) & self._sections(head))),
            "same_words": _overlap(need.stems, offer.stems),
            "short_need": float(need.is_short),
            **_place_features(need.places, offer.places),
            **self._act_features(need.acts, offer.acts),
        }

    def _read(self, text: str) -> Reading:
        tables, (words, purpose) = self._tables, words_of(text)
        places = tables.trades.find(words)
        trades, head = frozenset(places), frozenset(name for name, place in places.items() if place < purpose)
        return Reading(
            trades,
            head,
            trades.union(*(tables.answers.get(name, frozenset()) for name in trades)),
            head.union(*(tables.answers.get(name, frozenset()) for name in head)),
            frozenset(tables.acts.find(words)),
            frozenset(tables.places.find(words)),
            frozenset(word[:_STEM] for word in words if len(word) > _SHORT_WORD),
            len(words) <= _SHORT_TEXT,
            amounts_of(text),
        )

    def _weight(self, names: frozenset[str]) -> float:
        minor = len(names & self._tables.trades.minor)
        return len(names) - minor + _MINOR * minor

    def _share(self, part: frozenset[str], whole: frozenset[str]) -> float:
        return self._weight(part) / self._weight(whole) if whole else 0.0

    def _sections(self, names: frozenset[str]) -> set[str]:
        return {self._tables.trades.sections[name] for name in names - self._tables.trades.minor}

    def _act_features(self, need: frozenset[str], offer: frozenset[str]) -> dict[str, float]:
        return {
            f"{side}_{act}": 1.0
            for side, acts in (("only_offer", offer - need), ("only_need", need - offer), ("both", need & offer))
            for act in acts
        }


def _place_features(need: frozenset[str], offer: frozenset[str]) -> dict[str, float]:
    return {
        "same_place": float(bool(need & offer)),
        "elsewhere": float(bool(need) and bool(offer) and not need & offer),
        "no_place": float(bool(need) and not offer),
    }


def _overlap(need: frozenset[str], offer: frozenset[str]) -> float:
    return len(need & offer) / max(1, min(len(need), len(offer)))
