"""Quality: how often a need finds its offer first, among the first five, in any language, and for the right reason."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from bench.affinities import Row
from bench.affinities.peers import Peer, Similarities
from bench.affinities.topics import SubjectArea, languages_of

_DRAWS = 200
_RESAMPLES = 1000
_FIVE = 5

Ranks = NDArray[np.float64]


def quality_of(peer: Peer, topics: Sequence[SubjectArea]) -> Row:
    """Measure a peer that reads texts.

    acc@1, MRR and hit@5 draw a language for every text, 200 times; `mono` and `cross` go through all languages, and all
    pairs of two. Intervals are of 95 %, by drawing the topics again.
    """
    languages = languages_of(topics)
    needs = [topic.need[language] for language in languages for topic in topics]
    offers = [topic.offer[language] for language in languages for topic in topics]
    shape = (len(languages), len(topics))
    found = peer(needs, offers).reshape(*shape, *shape)
    pairs = list(product(range(len(languages)), repeat=2))
    mono = np.stack(
        [
            _ranks(found[need_language, :, need_language, :])
            for need_language, offer_language in pairs
            if need_language == offer_language
        ]
    )
    cross = [
        _ranks(found[need_language, :, offer_language, :])
        for need_language, offer_language in pairs
        if need_language != offer_language
    ]
    mixed, bias = _mixed(found)
    crossed = np.stack(cross) if cross else mono
    return {
        **_figures(mixed),
        "mono acc@1": share(mono <= 1),
        "cross acc@1": share(crossed <= 1),
        "mono hit@5": share(mono <= _FIVE),
        "cross hit@5": share(crossed <= _FIVE),
        "AUC in sector": _auc_in_sector(found, topics),
        "same language": round(float(bias), 2),
    }


def quality_of_tags(peer: Peer, topics: Sequence[SubjectArea]) -> Row:
    """Return the figures of a peer that reads codes, which have no language. Both sides have the right code."""
    codes = [topic.nace for topic in topics]
    return _figures(_ranks(peer(codes, codes))[np.newaxis])


def _mixed(found: Similarities) -> tuple[Ranks, float]:
    """Return the ranks of every draw, and the same-language bias.

    The bias compares the wrong offers among the first five: the share in the language of the need, to the share by
    chance (1: no bias).
    """
    random, (languages, topics) = np.random.default_rng(0), found.shape[:2]
    ranks, same, chance = [], 0.0, 0.0
    everyone = np.arange(topics)
    for _ in range(_DRAWS):
        mine, theirs = random.integers(0, languages, (2, topics))
        drawn = found[mine[:, None], everyone[:, None], theirs[None, :], everyone[None, :]]
        ranks.append(_ranks(drawn))
        alike = mine[:, None] == theirs[None, :]
        wrong = np.where(np.eye(topics, dtype=bool), -np.inf, drawn)
        first = np.argsort(-wrong, axis=1, kind="stable")[:, : min(_FIVE, topics - 1)]
        same += np.take_along_axis(alike, first, axis=1).mean()
        chance += alike[~np.eye(topics, dtype=bool)].mean()
    return np.stack(ranks), same / chance


def _ranks(found: Similarities) -> Ranks:
    return ranks_of(found, np.diag(found))


def ranks_of(found: Similarities, own: Similarities) -> Ranks:
    """Return the rank of every row's own column; in a tie the middle, as by drawing lots.

    Shapes: `found` (rows, columns), `own` (rows,), the similarity of the own column.
    """
    beside = own[:, np.newaxis]
    ranks: Ranks = ((found > beside).sum(axis=1) + (found >= beside).sum(axis=1) + 1) / 2
    return ranks


def _figures(ranks: Ranks) -> Row:
    """acc@1, MRR and hit@5 with their intervals; `ranks` has shape (draws, topics)."""
    by_topic = {"acc@1": (ranks <= 1), "MRR": 1 / ranks, "hit@5": (ranks <= _FIVE)}
    row: Row = {}
    for name, values in by_topic.items():
        means = values.mean(axis=0)
        again = np.random.default_rng(1).integers(0, len(means), (_RESAMPLES, len(means)))
        low, high = np.percentile(means[again].mean(axis=1), [2.5, 97.5])
        row |= {name: round(float(means.mean()), 3), f"{name} 95 %": f"{low:.2f}-{high:.2f}"}
    return row


def _auc_in_sector(found: Similarities, topics: Sequence[SubjectArea]) -> float | str:
    """Return how often a need's offer scores above another of its sector, in all languages; blank without sectors."""
    rivals = [
        (at, other)
        for at, topic in enumerate(topics)
        for other, rival in enumerate(topics)
        if at != other and topic.sector and topic.sector == rival.sector
    ]
    if not rivals:
        return ""
    own = np.stack([found[:, at, :, at] for at, _ in rivals])
    others = np.stack([found[:, at, :, other] for at, other in rivals])
    return round(float(((own > others) + (own == others) / 2).mean()), 3)


def share(hits: NDArray[np.bool_]) -> float:
    """Return the share of hits, rounded for tables."""
    return round(float(hits.mean()), 3)
