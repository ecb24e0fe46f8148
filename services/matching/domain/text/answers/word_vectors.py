"""Vectors of single words: how near two words are in meaning, in any two languages of the table."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.matching.domain.text.scorer import Matrix
from services.matching.domain.text.specificity import GENERIC_WORDS
from services.matching.domain.text.trades import REQUEST_WORDS, words_of

#: Letters by which an unknown word takes the mean of known words: endings differ.
_BEGINNINGS: Final = (7, 6, 5)
#: Letters from which words with the same beginning are the same word.
_STEM: Final = 5
_SHORTEST: Final = 3
#: Weight of a word after the purpose of a thing.
_OF_PURPOSE: Final = 0.6
#: Cosine at which two words begin to have to do with each other, and the range up to the same meaning.
_FROM, _RANGE = 0.3, 0.5
_REMEMBERED: Final = 50_000


class TellingWords(NamedTuple):
    """The words of a text that tell a subject, their weights, and their vectors of length 1; shape (words, width)."""

    words: tuple[str, ...]
    weights: NDArray[np.float32]
    vectors: Matrix


class WordVectors:
    """A table of words, sorted, and their vectors. A word that is missing is read by its beginning. Thread-safe."""

    def __init__(self, words: Sequence[str], vectors: Matrix) -> None:
        self._words = words
        self._vectors = vectors
        self._vector = lru_cache(_REMEMBERED)(self._found)

    def read(self, text: str) -> TellingWords:
        """Return the telling words of a text: no requests, no words that any company could use."""
        words, purpose = words_of(text)
        known = [(word, 1.0 if place < purpose else _OF_PURPOSE) for place, word in enumerate(words) if _tells(word)]
        return TellingWords(
            tuple(word for word, _ in known),
            np.array([weight for _, weight in known], np.float32),
            np.stack([self._vector(word) for word, _ in known]) if known else self._vectors[:0],
        )

    def _found(self, word: str) -> Matrix:
        at = bisect_left(self._words, word)
        if at < len(self._words) and self._words[at] == word:
            exact: Matrix = self._vectors[at]
            return exact
        for letters in _BEGINNINGS:
            start = word[:letters]
            end = bisect_left(self._words, start + "\uffff")
            first = bisect_left(self._words, start)
            if len(word) >= letters and first < end:
                mean: Matrix = self._vectors[first:end].mean(axis=0)
                return mean / np.float32(max(1e-9, float(np.linalg.norm(mean))))
        return np.zeros(self._vectors.shape[1], np.float32)


def nearness_features(need: TellingWords, offer: TellingWords) -> dict[str, float]:
    """Return the nearness of the words of a need and an offer by name, 0..1."""
    if not (need.words and offer.words):
        return {}
    near = need.vectors @ offer.vectors.T
    for row, asked in enumerate(need.words):
        for column, offered in enumerate(offer.words):
            if asked == offered or (len(asked) > _SHORTEST and asked[:_STEM] == offered[:_STEM]):
                near[row, column] = 1
    near = np.clip((near - _FROM) / _RANGE, 0, 1)
    met = near.max(axis=1) * need.weights
    best = np.sort(met)[::-1]
    heads = near[np.ix_(need.weights == 1, offer.weights == 1)]
    return {
        "words_of_need": float(met.sum() / need.weights.sum()),
        "words_of_offer": float((near.max(axis=0) * offer.weights).sum() / offer.weights.sum()),
        "best_word": float(best[0]),
        "two_words": float(best[:2].sum() / 2),
        "words_of_heads": float(heads.max(axis=1).mean()) if heads.size else 0.0,
    }


def _tells(word: str) -> bool:
    return len(word) >= _SHORTEST and not word.isdigit() and word not in REQUEST_WORDS and word not in GENERIC_WORDS
