"""How well a need's text fits an offer's: a small interface, and a first scorer that needs no model."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]

_WORD: Final = re.compile(r"[^\W_]{2,}")
_ACCENTS: Final = re.compile("[\u0300-\u036f]+")
#: Words that join others and say nothing of what is needed or offered (es, en, pt), folded.
_JOINING: Final = frozenset(
    """
    al and ao aos as com como con da das de del desde do dos during el em en entre es for from in is la las los mas na
    nas no nos nossa nossas nosso nossos nuestra nuestras nuestro nuestros of on or os ou our para pela pelo por que se
    sem ser sin sobre som son su sus that the their to um uma un una unas unos using with y ya
    """.split()  # noqa: SIM905 -- as a list of quoted words nobody could read it
)
#: Words that only say that something is needed or offered, which the role says already.
_ROLE_WORDS: Final = frozenset(
    """
    busca buscamos buscan company companies desarrollamos desenvolvemos develop developing empresa empresas
    especializada especializado fabrica fabricamos firm look looking make manufacture necesita necesitamos necesitan
    necessita necessitamos need needed needs offer offering offers oferece oferecemos ofrece ofrecemos precisa
    precisamos procura procuramos proveemos provide providing quer quiere search searching seek seeking seeks wants
    """.split()  # noqa: SIM905 -- as above
)


class Role(StrEnum):
    """Which side of a profile a text is."""

    NEED = "need"
    OFFER = "offer"


class TextScorer(Protocol):
    """Turns texts into vectors whose cosines say how well a need and an offer fit. Deterministic and total."""

    def embed(self, texts: Sequence[str], role: Role) -> Matrix:
        """Shape (texts, width); each row of length 1, or all zeros where the text says nothing."""
        ...

    def fit(self, cosines: Matrix) -> Matrix:
        """The fit of each cosine of a need and an offer, 0..1, rising; 0 for a cosine of 0 or below."""
        ...


@lru_cache(maxsize=8192)
def words_of(text: str) -> tuple[str, ...]:
    """The telling words of a text, folded: lower case, no accents, no joining words, no bare numbers."""
    folded = _ACCENTS.sub("", unicodedata.normalize("NFKD", text.casefold()))
    words = (word for word in _WORD.findall(folded) if not word.isdigit())
    return tuple(word for word in words if word not in _JOINING and word not in _ROLE_WORDS)


class NgramScorer:
    """Hashed character n-grams within words: languages that share roots share n-grams, and typing errors cost little.

    Signed feature hashing (Weinberger et al., ICML 2009), so that vectors need no vocabulary and a score never
    depends on who else has registered. `LOW` and `HIGH` are the cosines where a fit begins and is full, set on
    needs and offers of one language: nine in ten that do not answer each other stay below `LOW`.
    """

    WIDTH: Final = 512
    LENGTHS: Final = (3, 4, 5)
    LOW: Final = 0.12
    HIGH: Final = 0.60
    _CHUNK: Final = 512
    _PRIME: Final = np.uint64(0x100000001B3)
    _MIX: Final = np.uint64(0x9E3779B97F4A7C15)

    def embed(self, texts: Sequence[str], role: Role) -> Matrix:  # noqa: ARG002 -- n-grams are the same in both roles
        """See `TextScorer.embed`."""
        chunks = [self._embed(texts[at : at + self._CHUNK]) for at in range(0, len(texts), self._CHUNK)]
        return np.concatenate(chunks) if chunks else np.zeros((0, self.WIDTH), np.float32)

    def fit(self, cosines: Matrix) -> Matrix:
        """See `TextScorer.fit`."""
        fits: Matrix = np.clip((cosines - self.LOW) / (self.HIGH - self.LOW), 0, 1).astype(np.float32)
        return fits

    def _embed(self, texts: Sequence[str]) -> Matrix:
        padded = [f" {' '.join(words_of(text))} " for text in texts]
        letters = np.frombuffer("".join(padded).encode("utf-32-le", "replace"), np.uint32).astype(np.uint64)
        owners = np.repeat(np.arange(len(texts)), [len(text) for text in padded])
        counts = np.zeros(len(texts) * self.WIDTH)
        for length in self.LENGTHS:
            counts += self._counts(letters, owners, length, len(counts))
        vectors = counts.reshape(len(texts), self.WIDTH)
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        unit: Matrix = (vectors / np.where(norms == 0, 1, norms)).astype(np.float32)
        return unit

    def _counts(
        self, letters: NDArray[np.uint64], owners: NDArray[np.intp], length: int, size: int
    ) -> NDArray[np.float64]:
        """How often each n-gram of `length` occurs, signed, at text * width + bucket."""
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
        buckets = (hashes >> np.uint64(1)) % np.uint64(self.WIDTH)
        return np.bincount(owners[:windows][within] * self.WIDTH + buckets.astype(np.intp), signs, size).astype(float)
