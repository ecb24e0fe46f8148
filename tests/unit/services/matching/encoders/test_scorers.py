from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import product

import numpy as np
import pytest

from services.matching.domain.text.blend import Blend, Calibration
from services.matching.domain.text.ngrams import NgramScorer
from services.matching.domain.text.scorer import Matrix, Role, TextScorer
from services.matching.encoders import default_scorer, quality_scorer, use_encoder
from services.matching.encoders.cached_scorer import CachedScorer
from services.matching.encoders.constants import LANGUAGES, SENTENCES
from services.matching.encoders.e5 import E5

TOPICS = [json.loads(line) for line in SENTENCES.read_text(encoding="utf-8").splitlines()]
#: The second half takes no part in anything but the means, and is what the figures below are of.
HELD_OUT = TOPICS[24:]
EVERYTHING = (
    "Agriculture, energy, health, ICT, construction, textiles, automotive, tourism, logistics, mining, education"
)
HOSTILE = [
    "a" * 10_000,
    "word " * 2_500,
    EVERYTHING * 20,
    "\ud800 acero",
    "\x00\x00 acero",
    "ñandú 😀 鋼 сталь",
    "x" * 300,
]


@pytest.fixture(params=[default_scorer, quality_scorer], ids=["default", "quality"])
def scorer(request: pytest.FixtureRequest) -> TextScorer:
    made: TextScorer = request.param()
    return made


def first(scorer: TextScorer, need: str, offer: str) -> float:
    """Return the share of needs in a language whose best offer in the offer's language is their own."""
    needs = scorer.embed([topic["need"][need] for topic in HELD_OUT], Role.NEED)
    offers = scorer.embed([topic["offer"][offer] for topic in HELD_OUT], Role.OFFER)
    return float(((needs @ offers.T).argmax(axis=1) == np.arange(len(HELD_OUT))).mean())


def test_encoders_find_offers_across_languages_better_than_words() -> None:
    pairs = list(product(LANGUAGES, LANGUAGES))
    plain, default, quality = (
        float(np.mean([first(scorer, *pair) for pair in pairs]))
        for scorer in (NgramScorer(), default_scorer(), quality_scorer())
    )
    assert plain < 0.15
    assert default > 0.35
    assert quality > default + 0.03


@pytest.mark.parametrize(("tier", "groups"), [("default_scorer", 20), ("quality_scorer", 4)])
@pytest.mark.parametrize("kernels", ["", "Haswell"])
def test_a_text_has_the_same_vector_in_any_company(tier: str, groups: int, kernels: str) -> None:
    """Matrix products of OpenBLAS's AVX2 kernels depend on the place of a row, and further kernels may."""
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"} | ({"OPENBLAS_CORETYPE": kernels} if kernels else {})
    command = [sys.executable, "-m", "tests.support.matching_company", tier, str(groups)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.stdout == "[]\n", done.stdout + done.stderr


def test_threads_do_not_disturb_each_other(scorer: TextScorer) -> None:
    texts = [topic["need"]["pt"] for topic in TOPICS[:12]]
    forgetful = CachedScorer(scorer._scorer, size=0)  # type: ignore[attr-defined]
    with ThreadPoolExecutor(4) as pool:
        read = list(
            pool.map(lambda some: forgetful.embed(some, Role.NEED), [texts[at : at + 3] for at in (0, 3, 6, 9)])
        )
    assert (np.concatenate(read) == forgetful.embed(texts, Role.NEED)).all()


def test_vectors_are_on_the_grid_and_of_length_one(scorer: TextScorer) -> None:
    vectors = scorer.embed(["Fabricamos tornillos de titanio"], Role.OFFER)
    assert vectors.shape == (1, scorer.width)
    assert (vectors * 2048 == np.round(vectors * 2048)).all()
    assert np.linalg.norm(vectors) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("text", ["", "   ", "!!!", "🤝🔩", "busca empresa", "<br/>"])
def test_a_text_without_telling_words_fits_nothing(scorer: TextScorer, text: str) -> None:
    assert not scorer.embed([text], Role.NEED).any()


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_are_bounded(scorer: TextScorer, text: str) -> None:
    vectors = scorer.embed([text], Role.NEED)
    assert np.isfinite(vectors).all()
    assert np.linalg.norm(vectors) == pytest.approx(1, abs=0.01)


def test_markup_does_not_count(scorer: TextScorer) -> None:
    plain, marked = scorer.embed(["Soldadura de aluminio", "<p class='x'>Soldadura <b>de aluminio</b></p>"], Role.NEED)
    assert plain @ marked > 0.8


@pytest.mark.parametrize("text", ["Looking for partners", EVERYTHING, "hola", "We do everything for everybody"])
def test_an_unspecific_text_is_no_hub(scorer: TextScorer, text: str) -> None:
    needs = scorer.embed([topic["need"][language] for topic in TOPICS for language in LANGUAGES], Role.NEED)
    others = [topic[role][language] for topic in TOPICS for role in Role for language in LANGUAGES]
    tops = np.argsort(-(needs @ scorer.embed([*others, text], Role.OFFER).T), axis=1)[:, :10]
    expected = 10 / (len(others) + 1)
    assert (tops == len(others)).any(axis=1).mean() <= 2.5 * expected


def test_both_tiers_read_the_same_scale() -> None:
    needs, offers = ([topic[role]["es"] for topic in TOPICS] for role in ("need", "offer"))
    default, quality = (
        scorer.fit(scorer.embed(needs, Role.NEED) @ scorer.embed(offers, Role.OFFER).T)
        for scorer in (default_scorer(), quality_scorer())
    )
    assert abs(np.diag(default).mean() - np.diag(quality).mean()) < 0.1
    assert all((fits > 0).mean() < 0.2 for fits in (default, quality))


def test_no_texts_have_no_vectors(scorer: TextScorer) -> None:
    assert scorer.embed([], Role.NEED).shape == (0, scorer.width)


def test_raw_encoders_read_long_texts_in_part() -> None:
    for encoder in (use_encoder(), E5()):
        long, longer = encoder.encode(["acero inoxidable " * 200, "acero inoxidable " * 900])
        assert (long == longer).all()


class Counting:
    """A scorer that keeps the texts it embedded."""

    version, width = "counting", 4

    def __init__(self) -> None:
        self.asked: list[str] = []

    def embed(self, texts: Sequence[str], role: Role) -> Matrix:
        self.asked += texts
        return np.array([[len(text) / 2048, role is Role.NEED, 0, 0] for text in texts], np.float32).reshape(-1, 4)

    def fit(self, cosines: Matrix) -> Matrix:
        return cosines


def test_a_text_is_embedded_once() -> None:
    counting = Counting()
    remembered = CachedScorer(counting)
    assert remembered.embed(["a", "bb", "a"], Role.NEED)[:, 0].tolist() == [1 / 2048, 2 / 2048, 1 / 2048]
    remembered.embed(["bb", "ccc"], Role.NEED)
    assert counting.asked == ["a", "bb", "ccc"]
    assert remembered.embed(["a"], Role.OFFER)[0, 1] == 0
    assert counting.asked == ["a", "bb", "ccc", "a"]


def test_the_cache_keeps_the_most_recently_used_vectors() -> None:
    counting = Counting()
    remembered = CachedScorer(counting, size=2)
    for text in ("a", "bb", "a", "ccc", "a"):
        remembered.embed([text], Role.NEED)
    assert counting.asked == ["a", "bb", "ccc"]
    remembered.embed(["bb"], Role.NEED)
    assert counting.asked[-1] == "bb"


def test_more_texts_than_the_cache_holds_all_have_vectors() -> None:
    texts = ["x" * length for length in range(1, 9)]
    vectors = CachedScorer(Counting(), size=3).embed(texts, Role.NEED)
    assert (vectors[:, 0] * 2048).tolist() == [*range(1, 9)]


def test_a_blend_is_the_weighted_sum_of_its_parts() -> None:
    parts = [NgramScorer(64), NgramScorer(512)]
    blend = Blend("both", [(0.3, parts[0]), (0.7, parts[1])], Calibration(0, 1))
    texts = ["soldadura de aluminio", "soldadura de acero"]
    one, other = blend.embed(texts, Role.NEED)
    cosines = [float(np.prod(part.embed(texts, Role.NEED), axis=0).sum()) for part in parts]
    assert one @ other == pytest.approx(0.3 * cosines[0] + 0.7 * cosines[1], abs=0.01)
