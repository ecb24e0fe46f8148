"""Under which headings of a classification a text comes, by the nearness of vectors."""

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
    """One heading: its code, such as `nace:25.62`, and its label by language."""

    code: str
    labels: Mapping[str, str]


@dataclass(frozen=True)
class Suggestion:
    """A heading that a text may come under. `score` is a cosine, 0..1: it ranks, it is no probability."""

    heading: Category
    score: float


@dataclass(frozen=True)
class Classification:
    """A classification and the vectors of its wordings.

    Attributes:
        vectors: shape (headings, wordings, width), rows of length 1: each heading said in several languages.
        usual: by heading, the cosine that a text about something else may well reach; 0 where none is known.
    """

    headings: tuple[Category, ...]
    vectors: Matrix
    usual: Matrix

    def suggest(self, texts: Matrix, most: int) -> list[Suggestion]:
        """The headings nearest to any of the texts, best first; none that is no nearer than usual.

        `texts` has shape (texts, width). A heading is as near as the nearest of its wordings: one in the language of
        the text says more than the mean of six does.
        """
        if not len(texts):
            return []
        count, wordings, width = self.vectors.shape
        cosines = self.vectors.reshape(count * wordings, width) @ texts.T
        best = cosines.reshape(count, wordings * len(texts)).max(axis=1)
        order = np.argsort(-best, kind="stable")[:most]
        return [Suggestion(self.headings[row], _rounded(best[row])) for row in order if best[row] > self.usual[row]]


@dataclass(frozen=True)
class RoleMeans:
    """Where an encoder puts needs and offers: the means of sentences of either role, as raw vectors."""

    need: Matrix
    offer: Matrix

    def centred(self, vectors: Matrix) -> Matrix:
        """Raw vectors of texts without what all that people write in profiles has in common, again of length 1."""
        moved = vectors - (self.need + self.offer) / 2
        unit = moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), np.float32(_TINY))
        return np.asarray(unit, dtype=np.float32)

    def roles(self, centred: Matrix) -> list[Role]:
        """The role whose mean is nearer, a text each."""
        return [Role.NEED if lean > 0 else Role.OFFER for lean in centred @ (self.need - self.offer)]


def _rounded(cosine: float) -> float:
    return round(min(1.0, max(0.0, float(cosine))), DECIMALS)
