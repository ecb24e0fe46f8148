"""An encoder's vectors relative to what all needs, or all offers, have in common."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Final, NamedTuple, Protocol

import numpy as np

from services.matching.domain.text.scorer import Matrix, Role

CONSTANTS: Final = Path(__file__).with_name("constants.npz")


class Encoder(Protocol):
    """A language model: texts in, raw vectors out."""

    @property
    def name(self) -> str: ...

    def encode(self, texts: Sequence[str]) -> Matrix:
        """Shape (texts, its own width), rows of length 1; the same text has the same vector in any company."""
        ...


class Constants(NamedTuple):
    """What `constants.npz` holds of an encoder: `python -m services.matching.encoders.constants` makes it.

    Attributes:
        need: the mean vector of needs; shape (raw width,).
        offer: the mean vector of offers.
        basis: orthonormal directions in which the texts of this trade differ, most telling first, and which do not
            tell languages apart; shape (width, raw width).
    """

    need: Matrix
    offer: Matrix
    basis: Matrix

    @classmethod
    def of(cls, name: str) -> Constants:
        """Those of an encoder, by its name."""
        with np.load(CONSTANTS, allow_pickle=False) as kept:
            return cls(*(kept[f"{name}.{field}"].astype(np.float32) for field in cls._fields))


class CentredEncoder:
    """Vectors of an encoder less the mean of their role, in the directions that tell texts apart.

    Any two needs are alike in that they are needs: without that, an offer is compared with what is needed.
    """

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder

    @property
    def width(self) -> int:
        return len(self._constants.basis)

    def embed(self, texts: Sequence[str], role: Role) -> Matrix:
        """Shape (texts, width), rows of length 1."""
        raw = self._encoder.encode(texts)
        mean = self._constants.need if role is Role.NEED else self._constants.offer
        vectors = np.empty((len(texts), self.width), np.float32)
        for row, text_vector in enumerate(raw):
            projected = self._constants.basis @ (text_vector - mean)
            vectors[row] = projected / max(np.linalg.norm(projected), np.float32(1e-6))
        return vectors

    @cached_property
    def _constants(self) -> Constants:
        return Constants.of(self._encoder.name)
