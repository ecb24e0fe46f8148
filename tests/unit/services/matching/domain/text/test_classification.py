from __future__ import annotations

import numpy as np
import pytest

from services.matching.domain.text.classification import Category, Classification, RoleMeans
from services.matching.domain.text.scorer import Matrix, Role

EAST, NORTH, UP = np.eye(3, dtype=np.float32)


def catalogue(usual: float = 0.0) -> Classification:
    headings = tuple(Category(code, {"en": code}) for code in ("nace:01.11", "nace:25.62"))
    vectors = np.array([[EAST, NORTH], [UP, UP]])
    return Classification(headings, vectors, np.full(2, usual, np.float32))


def test_a_category_is_as_near_as_its_nearest_wording() -> None:
    suggested = catalogue().suggest(np.array([0.8 * NORTH + 0.6 * UP]), 10)
    assert [(one.category.code, one.score) for one in suggested] == [("nace:01.11", 0.8), ("nace:25.62", 0.6)]


def test_the_nearest_of_several_texts_counts() -> None:
    assert [one.score for one in catalogue().suggest(np.array([EAST, UP]), 1)] == [1.0]


def test_a_category_no_nearer_than_usual_is_not_suggested() -> None:
    assert [one.score for one in catalogue(usual=0.7).suggest(np.array([0.8 * NORTH + 0.6 * UP]), 10)] == [0.8]


def test_no_texts_no_suggestions() -> None:
    assert catalogue().suggest(np.zeros((0, 3), np.float32), 10) == []


@pytest.mark.parametrize(("text", "role"), [(0.9 * EAST + 0.5 * UP, Role.NEED), (0.4 * NORTH + 0.9 * UP, Role.OFFER)])
def test_a_text_has_the_role_whose_mean_is_nearer(text: Matrix, role: Role) -> None:
    means = RoleMeans(EAST, NORTH)
    centred = means.centred(np.array([text], np.float32))
    assert np.linalg.norm(centred) == pytest.approx(1)
    assert means.roles(centred) == [role]


def test_a_text_at_the_centre_has_a_finite_vector() -> None:
    means = RoleMeans(EAST, NORTH)
    assert not means.centred(np.array([(EAST + NORTH) / 2])).any()
