"""Similarities of needs and offers for `bench.matching`: our scorers, and methods to compare them with."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.affinities.minilm import MiniLM, MiniLMMissing
from services.matching.domain.taxonomy import nace_path
from services.matching.domain.text.ngrams import NgramScorer
from services.matching.domain.text.scorer import Matrix, Role, TextScorer, words_of
from services.matching.encoders import QualityMissing, default_scorer, quality_scorer, use_encoder
from services.matching.encoders.centred import Encoder
from services.matching.encoders.e5 import E5

#: The peer that reads English alone, a text at a time: not worth the thousands of texts of NACE.
ENGLISH: Final = "MiniLM (English)"

Similarities = NDArray[np.float64]
#: From needs and offers their similarities; shape (needs, offers).
Peer = Callable[[Sequence[str], Sequence[str]], Similarities]


def text_peers() -> tuple[dict[str, Peer], list[str]]:
    """Return the methods that read texts by name, the simplest first, and the names of missing packages."""
    peers: dict[str, Peer] = {
        "BM25": bm25,
        "char TF-IDF": char_tfidf,
        "n-grams (no model)": partial(_scored, NgramScorer()),
        "USE raw": _Raw(use_encoder()),
        "default tier": partial(_scored, default_scorer()),
    }
    missing = []
    try:
        peers[ENGLISH] = _Raw(MiniLM())
    except MiniLMMissing as error:
        missing.append(f"{ENGLISH} skipped: {error}")
    try:
        peers |= {"E5 raw": _Raw(E5()), "quality tier": partial(_scored, quality_scorer())}
    except QualityMissing as error:
        missing.append(f"E5 and the quality tier skipped: {error}")
    return peers, missing


def bm25(needs: Sequence[str], offers: Sequence[str]) -> Similarities:
    """Okapi BM25 on whole words, k1 1.2, b 0.75."""
    documents = [Counter(words_of(offer)) for offer in offers]
    frequency = Counter(word for document in documents for word in document)
    mean_length = sum(sum(document.values()) for document in documents) / len(documents)

    def score(words: Sequence[str], document: Counter[str]) -> float:
        norm = 1.2 * (0.25 + 0.75 * sum(document.values()) / mean_length)
        return sum(
            math.log(1 + (len(documents) - frequency[word] + 0.5) / (frequency[word] + 0.5))
            * (document[word] * 2.2 / (document[word] + norm))
            for word in words
            if word in document
        )

    return np.array([[score(words_of(need), document) for document in documents] for need in needs])


def char_tfidf(needs: Sequence[str], offers: Sequence[str]) -> Similarities:
    """Return cosines of character 3- to 5-grams within words, weighted by their rarity in the offers."""
    counted = [Counter(_grams(text)) for text in (*needs, *offers)]
    frequency = Counter(gram for counts in counted[len(needs) :] for gram in counts)
    numbers = {gram: number for number, gram in enumerate(frequency)}
    weights = {gram: math.log((1 + len(offers)) / (1 + count)) + 1 for gram, count in frequency.items()}
    vectors = np.zeros((len(counted), max(1, len(numbers))))
    for vector, counts in zip(vectors, counted, strict=True):
        for gram, count in counts.items():
            if gram in numbers:
                vector[numbers[gram]] = (1 + math.log(count)) * weights[gram]
    vectors /= np.maximum(1e-9, np.linalg.norm(vectors, axis=1, keepdims=True))
    return vectors[: len(needs)] @ vectors[len(needs) :].T


def same_division(needs: Sequence[str], offers: Sequence[str]) -> Similarities:
    """Tag overlap as event platforms compute it, on NACE codes instead of texts: a point for the same tag, no more."""
    return np.equal.outer([code[:2] for code in needs], [code[:2] for code in offers]).astype(np.float64)


def same_section(needs: Sequence[str], offers: Sequence[str]) -> Similarities:
    """Return `same_division` with the 21 sections as tags."""
    sections = [["".join(nace_path(code)[:1]) for code in codes] for codes in (needs, offers)]
    return np.equal.outer(*sections).astype(np.float64)


def _scored(scorer: TextScorer, needs: Sequence[str], offers: Sequence[str]) -> Similarities:
    return (scorer.embed(needs, Role.NEED) @ scorer.embed(offers, Role.OFFER).T).astype(np.float64)


class _Raw:
    """An encoder without centring, the same for needs and offers. Reads a text once for all tasks."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._known: dict[str, Matrix] = {}

    def __call__(self, needs: Sequence[str], offers: Sequence[str]) -> Similarities:
        """Return the cosines."""
        new = [text for text in dict.fromkeys((*needs, *offers)) if text not in self._known]
        self._known |= zip(new, self._encoder.encode(new) if new else (), strict=True)
        mine, theirs = (np.stack([self._known[text] for text in texts]) for texts in (needs, offers))
        return (mine @ theirs.T).astype(np.float64)


def _grams(text: str) -> list[str]:
    words = [f" {word} " for word in words_of(text)]
    return [word[at : at + size] for word in words for size in (3, 4, 5) for at in range(len(word) - size + 1)]
