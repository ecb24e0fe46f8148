"""Text scorers: the interface, and the functions that they share."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]

_GRID: Final = 2048
_WORD: Final = re.compile(r"[^\W_]{2,}")
TAG: Final = re.compile(r"<[^<>]{0,200}>")
#: Letters of a text that count.
LONGEST: Final = 2000
_ACCENTS: Final = re.compile("[\u0300-\u036f]+")
#: Joining words, without a meaning for needs or offers (es, en, pt), folded.
_JOINING: Final = frozenset(
    """
    al and ao aos as com como con da das de del desde do dos during el em en entre es for from in is la las los mas na
    nas no nos nossa nossas nosso nossos nuestra nuestras nuestro nuestros of on or os ou our para pela pelo por que se
    sem ser sin sobre som son su sus that the their to um uma un una unas unos using with y ya
    """.split()  # noqa: SIM905 -- as a list of quoted words nobody could read it
)
#: Words that only tell need from offer; the role tells it already.
_ROLE_WORDS: Final = frozenset(
    """
    busca buscamos buscan company companies desarrollamos desenvolvemos develop developing empresa empresas
    especializada especializado fabrica fabricamos firm look looking make manufacture necesita necesitamos necesitan
    necessita necessitamos need needed needs offer offering offers oferece oferecemos ofrece ofrecemos precisa
    precisamos procura procuramos proveemos provide providing quer quiere search searching seek seeking seeks wants
    """.split()  # noqa: SIM905 -- as above
)


class Role(StrEnum):
    """Side of a profile that a text belongs to."""

    NEED = "need"
    OFFER = "offer"


class TextScorer(Protocol):
    """Turns texts into vectors whose cosines tell how well a need and an offer fit.

    Deterministic and total: a text has the same vector, bit for bit, whatever texts it is embedded with, on the same
    machine and build of numpy. Thread-safe.
    """

    @property
    def version(self) -> str:
        """Name of model, constants and calibration: equal versions give equal scores."""
        ...

    @property
    def width(self) -> int:
        """Length of a vector."""
        ...

    def embed(self, texts: Sequence[str], role: Role) -> Matrix:
        """Return vectors of shape (texts, width) on the grid, of length 1; zeros for a text without telling words."""
        ...

    def fit(self, cosines: Matrix) -> Matrix:
        """Return the fits of cosines of needs and offers, 0..1, rising; 0 for cosines of 0 or below."""
        ...


def on_grid(vectors: NDArray[np.floating[Any]]) -> Matrix:
    """Round vectors to multiples of 1/2048.

    Then every product and partial sum of a cosine is exact in float32: a score depends neither on the order of a sum
    nor on the number of texts scored together. A float16 holds such a vector without loss.
    """
    rounded: Matrix = (np.round(vectors * _GRID) / _GRID).astype(np.float32)
    return rounded


def plain(text: str) -> str:
    """Return a text as a model reads it: without markup and control characters, cut to the longest length."""
    shown = (letter if letter.isprintable() else " " for letter in TAG.sub(" ", text[:LONGEST]))
    return " ".join("".join(shown).split())


@lru_cache(maxsize=8192)
def words_of(text: str) -> tuple[str, ...]:
    """Return the telling words of a text: lower case, no accents, no joining words, no bare numbers."""
    folded = _ACCENTS.sub("", unicodedata.normalize("NFKD", text.casefold()))
    words = (word for word in _WORD.findall(folded) if not word.isdigit())
    return tuple(word for word in words if word not in _JOINING and word not in _ROLE_WORDS)
