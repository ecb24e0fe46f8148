from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.matching.domain.text.confidence import LowConfidenceReason, low_confidence_reasons
from services.matching.domain.text.ngrams import NgramScorer
from services.matching.domain.text.scorer import LONGEST, Role, plain, words_of
from services.matching.encoders import default_scorer
from services.matching.encoders.cached_scorer import CachedScorer

SCORER = NgramScorer()
texts = st.text(max_size=300) | st.text("aeiñ ç-", max_size=60)


@given(st.lists(texts, max_size=5))
def test_a_vector_has_length_one_or_is_zero_without_telling_words(some: list[str]) -> None:
    for text, vector in zip(some, SCORER.embed(some, Role.NEED), strict=True):
        assert np.linalg.norm(vector) == (pytest.approx(1, abs=1e-2) if words_of(text) else 0)


@given(texts, texts)
def test_a_fit_is_the_same_both_ways_and_between_0_and_1(one: str, other: str) -> None:
    vectors = SCORER.embed([one, other], Role.OFFER)
    fits = SCORER.fit(vectors @ vectors.T)
    assert ((fits >= 0) & (fits <= 1)).all()
    assert fits[0, 1] == pytest.approx(fits[1, 0])


@given(texts)
def test_case_and_accents_do_not_matter(text: str) -> None:
    assert words_of(text.replace("ñ", "n").replace("ç", "c")) == words_of(text)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_an_encoder_bounds_any_vector_and_no_other_text_moves_it(data: st.DataObject) -> None:
    drawn = data.draw(st.lists(texts | st.text(max_size=3_000), max_size=4))
    order = data.draw(st.permutations(range(len(drawn))))[: data.draw(st.integers(0, len(drawn)))]
    uncached = CachedScorer(default_scorer()._scorer, size=0)
    together = uncached.embed(drawn, Role.OFFER)
    for text, vector in zip(drawn, together, strict=True):
        assert np.linalg.norm(vector) == (pytest.approx(1, abs=0.01) if words_of(plain(text)) else 0)
    assert (uncached.embed([drawn[place] for place in order], Role.OFFER) == together[order]).all()


@given(texts | st.text(max_size=3_000))
def test_any_text_is_plain_in_the_end(text: str) -> None:
    assert plain(plain(text)).isprintable()
    assert len(plain(text)) <= LONGEST


@given(st.lists(texts, max_size=4))
def test_low_confidence_reasons_are_total_and_unique(some: list[str]) -> None:
    doubts = low_confidence_reasons(some)
    assert len(set(doubts)) == len(doubts)
    assert (LowConfidenceReason.SAYS_NOTHING in doubts) == (not any(words_of(plain(text)) for text in some))
