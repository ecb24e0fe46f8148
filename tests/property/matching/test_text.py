from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.matching.domain.ngrams import NgramScorer
from services.matching.domain.text import Role, words_of

SCORER = NgramScorer()
texts = st.text(max_size=300) | st.text("aeiñ ç-", max_size=60)


@given(st.lists(texts, max_size=5))
def test_any_text_has_a_vector_of_length_one_unless_it_has_no_telling_word(some: list[str]) -> None:
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
