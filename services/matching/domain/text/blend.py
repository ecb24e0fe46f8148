"""Blends several scorers, and calibrates cosines to fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from services.matching.domain.text.scorer import Matrix, Role, on_grid, plain, words_of


class Embedding(Protocol):
    """Part of a blend: see `TextScorer`."""

    @property
    def width(self) -> int: ...

    def embed(self, texts: Sequence[str], role: Role) -> Matrix: ...


@dataclass(frozen=True)
class Calibration:
    """A fit is 0 up to the cosine `low`, 1 from `high`, and rises evenly between them."""

    low: float
    high: float

    def fit(self, cosines: Matrix) -> Matrix:
        """See `TextScorer.fit`."""
        fits: Matrix = np.clip((cosines - np.float32(self.low)) / np.float32(self.high - self.low), 0, 1)
        return fits


class Blend:
    """A weighted sum of the cosines of several scorers, as the cosine of a single vector.

    The vectors of the parts are joined, scaled by the roots of their weights; weights sum to 1. A change of a part,
    of its constants, of a weight or of the calibration needs a new version.
    """

    def __init__(self, version: str, parts: Sequence[tuple[float, Embedding]], calibration: Calibration) -> None:
        self.version = version
        self._parts = parts
        self._calibration = calibration

    @property
    def width(self) -> int:
        return sum(part.width for _, part in self._parts)

    def embed(self, texts: Sequence[str], role: Role) -> Matrix:
        """See `TextScorer.embed`. A text without a telling word has a zero vector, whatever a model makes of it."""
        texts = [plain(text) for text in texts]
        vectors = np.concatenate([part.embed(texts, role) * np.sqrt(weight) for weight, part in self._parts], axis=1)
        vectors[[not words_of(text) for text in texts]] = 0
        return on_grid(vectors)

    def fit(self, cosines: Matrix) -> Matrix:
        """See `TextScorer.fit`."""
        return self._calibration.fit(cosines)
