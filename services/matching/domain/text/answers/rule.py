"""The second rule behind reasons that people read: roles, general trades, and words of near meaning.

Beside trades, acts, places, materials and amounts (`answering.AnswerRule`) the rule reads roles of buyer and seller,
refuses general trades where nothing further is shared, and weighs the nearness of the words of both sides.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np

from services.matching.domain.text.answering import ANY_SCORER, INTERCEPT, AnswerRule, Reading, Tables
from services.matching.domain.text.answers.roles import AskedFor, PutForward, may_trade, role_of_need, role_of_offer
from services.matching.domain.text.answers.word_vectors import TellingWords, WordVectors, nearness_features
from services.matching.domain.text.limits import amounts_conflict, hardest
from services.matching.domain.text.scorer import Matrix
from services.matching.domain.text.trades import words_of

_KEPT: Final = 20_000
#: Without a shared trade: least share of the need's words that the offer meets, and least cosine.
_WORDS_MET, _COSINE = 0.45, 0.3
_DISTRIBUTOR, _TRAINING = "distributor", "training-courses"
_TRAIN: Final = "train"
#: Trades that serve all others: alone they answer no need with a subject of its own.
_GENERAL: Final = frozenset(
    {
        "accelerator-startups",
        "advertising-agency",
        "bank-loans",
        "call-for-suppliers",
        "certification-body",
        "contract-manufacture",
        _DISTRIBUTOR,
        "eu-projects",
        "export-consulting",
        "insurance",
        "investment-seed",
        "lean-consulting",
        "legal",
        "market-research",
        "product-design",
        "project-coordination",
        "public-tenders",
        "quality-certification",
        "rd-collaboration",
        "rd-grants",
        "recruitment",
        "sourcing",
        "strategy-consulting",
        "tax-credit-rd",
        "technology-transfer",
        "trade-show-agency",
        _TRAINING,
        "translation",
        "vocational-schools",
    }
)


class Need(NamedTuple):
    """A need as the rule reads it; `order`: its trades by their place in the text."""

    role: AskedFor
    reading: Reading
    words: TellingWords
    order: tuple[str, ...]


class Offer(NamedTuple):
    """An offer as the rule reads it: all but `words` without the requests in it."""

    text: str
    role: PutForward
    reading: Reading
    words: TellingWords
    order: tuple[str, ...]


def has_ground(features: Mapping[str, float]) -> bool:
    """Tell whether an offer shares a trade with the need, or is near to it both by words and as a whole."""
    if features["shares_trade"]:
        return True
    return features.get("words_of_need", 0.0) > _WORDS_MET and features.get("cosine", 0.0) > _COSINE


class RoleRule(AnswerRule):
    """See `AnswerRule`. Offers that are excluded or have no ground have certainty 0."""

    def __init__(
        self,
        version: str,
        tables: Tables,
        shown_from: float,
        weights: Mapping[str, Mapping[str, float]],
        vectors: WordVectors,
    ) -> None:
        super().__init__(version, tables, shown_from, weights)
        self._vectors = vectors
        self.need: Callable[[str], Need] = lru_cache(_KEPT)(self._need)
        self.offer: Callable[[str], Offer] = lru_cache(_KEPT)(self._offer)

    def certainties(self, needs: Sequence[str], offers: Sequence[str], cosines: Matrix, scorer_version: str) -> Matrix:
        """Return how surely offers answer needs, 0..1; shape (needs, offers), as that of `cosines`."""
        found = np.zeros(cosines.shape, np.float32)
        weights = self._weights.get(scorer_version, self._weights[ANY_SCORER])
        asked, offered = [self.need(need) for need in needs], [self.offer(offer) for offer in offers]
        for row, need in enumerate(asked):
            for column, offer in enumerate(offered):
                if not self.excludes(need, offer):
                    features = self.evidence(need, offer) | {"cosine": float(cosines[row, column])}
                    if not has_ground(features):
                        continue
                    total = sum(weights.get(name, 0.0) * value for name, value in features.items())
                    found[row, column] = 1 / (1 + math.exp(-weights[INTERCEPT] - total))
        return found

    def excludes(self, need: Need, offer: Offer) -> bool:
        """Tell whether a role, an amount, a material or a general trade rules an offer out."""
        if not may_trade(need.role, offer.role, offer.text):
            return True
        asked, offered = need.reading, offer.reading
        if 0 < hardest(offered.trades) < hardest(asked.trades) or amounts_conflict(asked.amounts, offered.amounts):
            return True
        if _DISTRIBUTOR in asked.head and _DISTRIBUTOR not in offered.answered:
            return True
        teaches = _TRAINING in asked.head | offered.head and (_TRAIN in asked.acts) != (_TRAIN in offered.acts)
        return teaches or self._is_only_general(asked, offered)

    def evidence(self, need: Need, offer: Offer) -> dict[str, float]:
        """Return the features of a need and an offer without the cosine, by name."""
        asked, offered, minor = need.reading, offer.reading, self._tables.trades.minor
        trades = (offered.answered & asked.trades) | offered.trades
        first = {offer.order[0], *self._tables.answers.get(offer.order[0], ())} if offer.order else set[str]()
        of_both = asked.trades & minor, offered.trades & minor
        return {
            **self.features(asked, offered),
            **nearness_features(need.words, offer.words),
            "shares_trade": float(bool((asked.trades & offered.answered) - minor)),
            "other_material": float(bool(of_both[0] and of_both[1]) and not of_both[0] & of_both[1]),
            "first_of_need": float(bool(need.order) and need.order[0] in trades),
            "first_of_need_missed": float(bool(need.order) and need.order[0] not in trades),
            "first_of_offer": float(bool(first & asked.trades)),
            "first_of_offer_missed": float(bool(offer.order) and not first & asked.trades),
            "first_of_both": float(bool(need.order) and need.order[0] in first),
        }

    def _is_only_general(self, asked: Reading, offered: Reading) -> bool:
        """Tell whether both sides share general trades alone, and have different subjects."""
        minor = self._tables.trades.minor
        shared = (asked.trades & (offered.answered | offered.trades)) - minor
        if not shared or not shared <= _GENERAL:
            return False
        subject, theirs = asked.head - minor - _GENERAL, offered.head - minor - _GENERAL
        closer = asked.places & offered.places or asked.trades & offered.trades & minor or subject & theirs
        return bool(subject and theirs) and not closer

    def _need(self, text: str) -> Need:
        return Need(role_of_need(text), self.read(text), self._vectors.read(text), self._order(text))

    def _offer(self, text: str) -> Offer:
        role = role_of_offer(text)
        told = role.text or text
        return Offer(text, role, self.read(told), self._vectors.read(text), self._order(told))

    def _order(self, text: str) -> tuple[str, ...]:
        places = self._tables.trades.find(words_of(text).words)
        return tuple(name for name in sorted(places, key=places.__getitem__) if name not in self._tables.trades.minor)
