"""Vectors of an encoder relative to the mean of all needs, or of all offers."""

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
        """Return vectors of shape (texts, own width), of length 1. A vector does not depend on further texts."""
        ...


class Constants(NamedTuple):
    """Constants of an encoder in `constants.npz`, made by `python -m services.matching.encoders.constants`.

    Attributes:
        need: mean vector of needs; shape (raw width,).
        offer: mean vector of offers.
        basis: orthonormal directions in which texts of this trade differ, most telling first, without the directions
            that tell languages apart; shape (width, raw width).
    """

    need: Matrix
    offer: Matrix
    basis: Matrix

    @classmethod
    def of(cls, name: str) -> Constants:
        """Read the constants of an encoder by its name."""
        with np.load(CONSTANTS, allow_pickle=False) as kept:
            return cls(*(kept[f"{name}.{field}"].astype(np.float32) for field in cls._fields))


class CentredEncoder:
    """Vectors of an encoder less the mean of their role, in the directions that tell texts apart.

    All needs resemble in being needs. Without centring, that likeness outweighs their subjects.
    """

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder

    @property
    def width(self) -> int:
        return len(self._constants.basis)

    def embed(self, texts: Sequence[str], role: Role) -> Matrix:
        """Return vectors of shape (texts, width), of length 1. Texts are projected singly: see `encoders.use`."""
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
