"""Embeds texts in many groups and prints the groups that change a vector: `python -m tests.support.matching_company`.

A process of its own, because OpenBLAS chooses the kernels of its matrix products when numpy is loaded.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

import numpy as np

from services.matching import encoders
from services.matching.domain.text.scorer import Role, TextScorer
from services.matching.encoders.cached_scorer import CachedScorer
from services.matching.encoders.constants import LANGUAGES, SENTENCES

_TEXTS = 24


def groups(count: int) -> Iterator[list[int]]:
    """Yield permutations and subsets of the first texts, drawn with a fixed seed."""
    random = np.random.default_rng(5)
    for size in random.integers(1, _TEXTS + 1, count).tolist():
        yield random.permutation(_TEXTS)[: size if size % 2 else _TEXTS].tolist()


def groups_that_change_a_vector(scorer: TextScorer, count: int) -> list[list[int]]:
    """Embed `count` groups without a cache and return the groups with a vector unlike the vector of the whole."""
    topics = [json.loads(line) for line in SENTENCES.read_text(encoding="utf-8").splitlines()]
    texts = [topic["offer"][language] for topic in topics for language in LANGUAGES][:_TEXTS]
    uncached = CachedScorer(scorer, size=0)
    whole = uncached.embed(texts, Role.OFFER)
    return [
        group
        for group in groups(count)
        if not (uncached.embed([texts[place] for place in group], Role.OFFER) == whole[group]).all()
    ]


if __name__ == "__main__":
    cached: CachedScorer = getattr(encoders, sys.argv[1])()
    print(groups_that_change_a_vector(cached._scorer, int(sys.argv[2])))
