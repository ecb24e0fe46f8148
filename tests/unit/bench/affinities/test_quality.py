from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from bench.affinities.peers import bm25, char_tfidf, same_division, same_section
from bench.affinities.quality import quality_of, quality_of_tags
from bench.affinities.topics import SubjectArea

TOPICS = [
    SubjectArea(f"t{at}", "metal" if at < 10 else "food", f"{at + 10}.10", *({"es": f"es {at}", "en": f"en {at}"},) * 2)
    for at in range(20)
]


def knows(needs: Sequence[str], offers: Sequence[str]) -> np.ndarray:
    return np.equal.outer([need.split()[1] for need in needs], [offer.split()[1] for offer in offers]).astype(float)


def knows_nothing(needs: Sequence[str], offers: Sequence[str]) -> np.ndarray:
    return np.zeros((len(needs), len(offers)))


def sees_languages(needs: Sequence[str], offers: Sequence[str]) -> np.ndarray:
    return np.equal.outer([need[:2] for need in needs], [offer[:2] for offer in offers]).astype(float)


def test_who_knows_is_always_right() -> None:
    figures = quality_of(knows, TOPICS)
    assert figures["acc@1"] == figures["MRR"] == figures["cross acc@1"] == figures["AUC in sector"] == 1
    assert figures["acc@1 95 %"] == "1.00-1.00"


def test_who_knows_nothing_is_in_the_middle_of_the_tie() -> None:
    figures = quality_of(knows_nothing, TOPICS)
    assert figures["hit@5"] == figures["acc@1"] == 0
    assert figures["AUC in sector"] == 0.5


def test_a_bias_for_the_same_language_shows() -> None:
    assert quality_of(sees_languages, TOPICS)["same language"] == pytest.approx(2, abs=0.1)


def test_tags_find_their_division() -> None:
    assert quality_of_tags(same_division, TOPICS)["acc@1"] == 1
    assert quality_of_tags(same_section, TOPICS)["acc@1"] == 0
    assert same_section(["01.10", "09.90", "10.10"], ["03.20", "33.20"]).tolist() == [[1, 0], [0, 0], [0, 1]]


@pytest.mark.parametrize("peer", [bm25, char_tfidf])
def test_peers_find_shared_words(peer: object) -> None:
    assert callable(peer)
    found = peer(["soldadura de aluminio", "riego"], ["sensores de riego", "taller de soldadura", "vino"])
    assert found.argmax(axis=1).tolist() == [1, 0]
    assert (found[:, 2] == 0).all()
