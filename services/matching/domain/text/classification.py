"""Classifies texts by the nearness of vectors: the activities and technologies that a text belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from services.matching.domain.text.scorer import Matrix, Role

DECIMALS: Final = 4
_TINY: Final = 1e-6


@dataclass(frozen=True)
class Category:
    """A category of a classification: its code, such as `nace:25.62`, and its label by language."""

    code: str
    labels: Mapping[str, str]


@dataclass(frozen=True)
class Suggestion:
    """A category that a text may belong to. `score`, 0..1, ranks; it is no probability."""

    category: Category
    score: float


@dataclass(frozen=True)
class Classification:
    """The categories of a classification, and the vectors of their wordings.

    Attributes:
        vectors: shape (categories, wordings, width), rows of length 1: every category worded in several languages.
        usual: by category, the cosine that unrelated texts commonly reach; 0 if unknown.
    """

    categories: tuple[Category, ...]
    vectors: Matrix
    usual: Matrix

    def suggest(self, texts: Matrix, most: int) -> list[Suggestion]:
        """Return the categories nearest to any of the texts, best first, if nearer than usual.

        `texts` has shape (texts, width). The nearest wording counts: a wording in the language of the text tells more
        than the mean of six wordings.
        """
        if not len(texts):
            return []
        best = self.nearness(texts)
        return self.ranked(np.where(best > self.usual, best, 0), most)

    def nearness(self, texts: Matrix) -> Matrix:
        """Return the cosine of every category to the nearest of the texts, at least one."""
        count, wordings, width = self.vectors.shape
        cosines = self.vectors.reshape(count * wordings, width) @ texts.T
        best: Matrix = cosines.reshape(count, wordings * len(texts)).max(axis=1)
        return best

    def ranked(self, scores: Matrix, most: int) -> list[Suggestion]:
        """Return the categories with the highest scores above 0, best first."""
        order = np.argsort(-scores, kind="stable")[:most]
        return [Suggestion(self.categories[row], _rounded(scores[row])) for row in order if scores[row] > 0]


@dataclass(frozen=True)
class RoleMeans:
    """Mean vectors of sentences that are needs and of sentences that are offers, as an encoder gives them."""

    need: Matrix
    offer: Matrix

    def centred(self, vectors: Matrix) -> Matrix:
        """Return raw vectors less the common mean of profile texts, scaled to length 1."""
        moved = vectors - (self.need + self.offer) / 2
        unit = moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), np.float32(_TINY))
        return np.asarray(unit, dtype=np.float32)

    def roles(self, centred: Matrix) -> list[Role]:
        """Return the role with the nearer mean for every text."""
        return [Role.NEED if lean > 0 else Role.OFFER for lean in centred @ (self.need - self.offer)]


def _rounded(cosine: float) -> float:
    return round(min(1.0, max(0.0, float(cosine))), DECIMALS)
