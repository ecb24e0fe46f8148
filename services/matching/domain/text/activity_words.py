"""Finds the activities that the words of a text belong to, by a table of words in several languages."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from services.matching.domain.text.scorer import Matrix
from services.matching.domain.text.specificity import GENERIC_WORDS
from services.matching.domain.text.trades import REQUEST_WORDS, words_of

#: Letters by which words are compared: endings differ, and words of related languages mostly begin alike.
_LETTERS: Final = 5
_SHORTEST: Final = 3
#: Letters by which a word is known at all: fewer join words that have nothing to do with each other.
_LETTERS_KNOWN: Final = 6
#: Weight of a word of a label, beside 1 of a word of the table, and of a word after the purpose of a thing.
_OF_LABEL: Final = 0.7
_OF_PURPOSE: Final = 0.6
#: Weight of a word that no activity has, as a share of that of a word that a single activity has.
_UNKNOWN: Final = 0.5
#: Least weight of a text: one common word is little.
_LEAST: Final = 3.0


class ActivityWords:
    """The words of activities by their beginnings, each with a weight: the rarer, the more it tells."""

    def __init__(self, wordings: Sequence[str], labels: Sequence[Iterable[str]]) -> None:
        bags = [_bag(wording, of) for wording, of in zip(wordings, labels, strict=True)]
        counts = Counter(word for bag in bags for word in bag)
        self._size = len(bags)
        self._known = {word for wording in wordings for word in _beginnings(words_of(wording).words, _LETTERS_KNOWN)}
        self._weights = {word: math.log((self._size + 1) / (count + 0.5)) for word, count in counts.items()}
        self._unknown = _UNKNOWN * math.log((self._size + 1) / 0.5)
        self._rows: dict[str, list[tuple[int, float]]] = {}
        for row, bag in enumerate(bags):
            for word, share in bag.items():
                self._rows.setdefault(word, []).append((row, share))

    def knows(self, text: str) -> bool:
        """Tell whether the table, without the labels, has any word of a text."""
        return not self._known.isdisjoint(_beginnings(words_of(text).words, _LETTERS_KNOWN))

    def scores(self, text: str) -> Matrix:
        """Return the weighed share of the words of a text that every activity has, 0..1, by row."""
        found = np.zeros(self._size, np.float32)
        total = 0.0
        for word, share in _telling(text).items():
            weight = share * self._weights.get(word, self._unknown)
            total += weight
            for row, of in self._rows.get(word, ()):
                found[row] += weight * of
        return found / np.float32(max(total, _LEAST))


def _bag(wording: str, labels: Iterable[str]) -> Mapping[str, float]:
    bag = {word: _OF_LABEL for label in labels for word in _beginnings(words_of(label).words)}
    return bag | dict.fromkeys(_beginnings(words_of(wording).words), 1.0)


def _telling(text: str) -> Mapping[str, float]:
    words, purpose = words_of(text)
    after = dict.fromkeys(_beginnings(words[purpose:]), _OF_PURPOSE)
    return after | dict.fromkeys(_beginnings(words[:purpose]), 1.0)


def _beginnings(words: Iterable[str], letters: int = _LETTERS) -> Iterator[str]:
    for word in words:
        if len(word) >= _SHORTEST and not word.isdigit() and word not in REQUEST_WORDS and word not in GENERIC_WORDS:
            yield word[:letters]
