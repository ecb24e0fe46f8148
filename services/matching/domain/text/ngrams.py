"""A scorer without a model: the n-grams that a need and an offer have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.matching.domain.text.scorer import Matrix, Role, on_grid, words_of


class NgramScorer:
    """Hashed character n-grams within words: related languages share n-grams, and typing errors cost little.

    Signed feature hashing (Weinberger et al., ICML 2009): vectors need no vocabulary, and a score never depends on
    further registrations. `LOW` and `HIGH` are the cosines at which a fit begins and is full. They were set on needs
    and offers in the same language: nine in ten pairs that do not answer stay below `LOW`.
    """

    version: Final = "ngrams-1"
    LENGTHS: Final = (3, 4, 5)
    LOW: Final = 0.12
    HIGH: Final = 0.60
    _CHUNK: Final = 512
    _PRIME: Final = np.uint64(0x100000001B3)
    _MIX: Final = np.uint64(0x9E3779B97F4A7C15)

    def __init__(self, width: int = 512) -> None:
        self.width = width

    def embed(self, texts: Sequence[str], role: Role) -> Matrix:  # noqa: ARG002 -- n-grams are the same in both roles
        """See `TextScorer.embed`."""
        chunks = [self._embed(texts[at : at + self._CHUNK]) for at in range(0, len(texts), self._CHUNK)]
        return np.concatenate(chunks) if chunks else np.zeros((0, self.width), np.float32)

    def fit(self, cosines: Matrix) -> Matrix:
        """See `TextScorer.fit`."""
        fits: Matrix = np.clip((cosines - self.LOW) / (self.HIGH - self.LOW), 0, 1).astype(np.float32)
        return fits

    def _embed(self, texts: Sequence[str]) -> Matrix:
        padded = [f" {' '.join(words_of(text))} " for text in texts]
        letters = np.frombuffer("".join(padded).encode("utf-32-le", "replace"), np.uint32).astype(np.uint64)
        owners = np.repeat(np.arange(len(texts)), [len(text) for text in padded])
        counts = np.zeros(len(texts) * self.width)
        for length in self.LENGTHS:
            counts += self._counts(letters, owners, length, len(counts))
        vectors = counts.reshape(len(texts), self.width)
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        return on_grid(vectors / np.where(norms == 0, 1, norms))

    def _counts(
        self, letters: NDArray[np.uint64], owners: NDArray[np.intp], length: int, size: int
    ) -> NDArray[np.float64]:
        """Count the n-grams of `length`, signed, at index text * width + bucket."""
        windows = len(letters) - length + 1
        if windows <= 0:
            return np.zeros(size)
        hashes = np.full(windows, length, np.uint64)
        within = np.ones(windows, bool)
        for offset in range(length):
            letter = letters[offset : offset + windows]
            hashes = (hashes ^ letter) * self._PRIME
            if 0 < offset < length - 1:
                within &= letter != ord(" ")
        hashes = (hashes[within] * self._MIX) >> np.uint64(32)
        signs = np.where(hashes & np.uint64(1), 1.0, -1.0)
        buckets = (hashes >> np.uint64(1)) % np.uint64(self.width)
        return np.bincount(owners[:windows][within] * self.width + buckets.astype(np.intp), signs, size).astype(float)
