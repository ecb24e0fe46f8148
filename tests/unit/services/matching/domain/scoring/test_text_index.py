from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from services.matching.domain.scoring.block_matrix import BlockMatrix
from services.matching.domain.scoring.text_index import TextIndex
from services.matching.domain.scoring.top_k import TopK
from services.matching.domain.text.ngrams import NgramScorer
from services.matching.domain.text.scorer import Matrix, Role, on_grid

RANDOM = np.random.default_rng(7)


def vectors(*shape: int) -> Matrix:
    """Draw random vectors whose first numbers tell most, as scorers give them."""
    drawn = RANDOM.standard_normal(shape) * np.linspace(1, 0.1, shape[-1])
    return on_grid(drawn / np.linalg.norm(drawn, axis=-1, keepdims=True))


class Given:
    """A scorer of texts that are numbers of vectors."""

    version, width = "given", 96

    def __init__(self) -> None:
        self.vectors = vectors(12_000, self.width)

    def embed(self, texts: Sequence[str], role: Role) -> Matrix:
        return self.vectors[[int(text) for text in texts]].reshape(-1, self.width)

    def fit(self, cosines: Matrix) -> Matrix:
        return np.clip(cosines * 2, 0, 1)


def index_of(size: int, items: int) -> TextIndex:
    index = TextIndex(Given())
    texts = [[str(at * items + item) for item in range(items)] for at in range(2 * size)]
    index.put(range(size), texts[:size], texts[size:])
    return index


def exact(index: TextIndex, row: int, size: int) -> Matrix:
    forth, back = index.fits(np.array([row]))
    scores: Matrix = (0.7 * np.maximum(forth, back) + 0.3 * np.sqrt(forth * back))[0]
    scores[row] = 0
    return scores[:size]


def test_a_block_matrix_keeps_no_gaps() -> None:
    plane, some = BlockMatrix(4), vectors(9, 4)
    for row in range(9):
        plane.put(row, some[row])
    for row in (0, 8, 3, 3, 70):
        plane.remove(row)
    plane.put(5, some[0])
    assert sorted(plane.owners.tolist()) == [1, 2, 4, 5, 6, 7]
    expected = some[[0 if owner == 5 else owner for owner in plane.owners]]
    assert (plane.cosines(np.eye(4, dtype=np.float32)) == expected).all()
    rough = plane.coarse_cosines(np.eye(4, dtype=np.float32))
    assert rough == pytest.approx(254 * np.clip(expected, -0.5, 0.5), abs=0.5)
    found, there = plane.some(np.array([3, 7, 99, 5]))
    assert there.tolist() == [1, 3]
    assert (found == some[[7, 0]]).all()


def test_the_best_fit_of_any_item_counts() -> None:
    index = TextIndex(NgramScorer())
    index.put([0, 1], [["Soldadura de aluminio", "Riego"], []], [[], ["Diseño web", "Taller de soldadura de aluminio"]])
    forth, back = index.fits(np.array([0]), np.array([1]))
    assert forth[0, 0] > 0.5
    assert back[0, 0] == 0
    met = index.best_need_and_offer(0, 1)
    assert met is not None
    assert met[:2] == (0, 1)
    assert met[2] == forth[0, 0]
    assert index.best_need_and_offer(1, 0) is None


def test_replacing_or_removing_a_row_moves_no_other_row() -> None:
    index = index_of(40, 3)
    index._scorer = Given()
    before = index.fits(np.arange(40))
    index.put([7], [["1"]], [["2", "3", "4", "5"]])
    index.remove([9])
    after = index.fits(np.arange(40))
    others = np.setdiff1d(np.arange(40), [7, 9])
    for old, new in zip(before, after, strict=True):
        assert (old[np.ix_(others, others)] == new[np.ix_(others, others)]).all()
    assert index.speaks(np.array([7, 9])).tolist() == [True, False]
    assert not any(fits[9].any() or fits[:, 9].any() for fits in after)


def test_some_partners_fit_as_all_do() -> None:
    index = index_of(60, 2)
    some = np.array([5, 50, 6, 41])
    for of_all, of_some in zip(index.fits(np.array([3, 8])), index.fits(np.array([3, 8]), some), strict=True):
        assert (of_all[:, some] == of_some).all()


def test_the_best_of_one_item_a_side_are_exact() -> None:
    index = index_of(1500, 1)
    for row in (0, 700, 1499):
        rows, scores = index.best(row, 20)
        expected = exact(index, row, 1500)
        assert rows.tolist() == sorted(range(1500), key=lambda one: (-np.float32(expected[one]), one))[:20]
        assert scores == pytest.approx(expected[rows], abs=1e-6)


def test_a_shortlist_finds_nearly_all_of_the_best_of_several_items() -> None:
    index, found = index_of(2000, 3), 0
    for row in range(0, 2000, 100):
        expected = exact(index, row, 2000)
        _, scores = index.best(row, 20)
        found += int((scores >= np.sort(expected)[-20] - 1e-6).sum())
    assert found / (20 * 20) >= 0.96


def test_all_best_equals_best_of_every_row() -> None:
    index = index_of(1200, 1)
    index.remove([17])
    top_k = index.all_best(5)
    for row in (0, 17, 511, 512, 1199):
        rows, scores = index.best(row, 5)
        assert top_k.rows[row][: len(rows)].tolist() == rows.tolist()
        assert top_k.scores[row][: len(rows)].tolist() == scores.tolist()
    assert top_k.rows[17].tolist() == [-1] * 5
    assert (top_k.rows != np.arange(1200)[:, np.newaxis]).all()


def test_an_empty_index_has_no_best_rows() -> None:
    assert TextIndex(NgramScorer()).all_best(3).rows.shape == (0, 3)


def test_ties_go_to_the_first_row_and_a_zero_score_is_left_out() -> None:
    top_k = TopK(2, 2)
    top_k.merge(0, 4, np.array([[0.5, 0.5], [0.0, 0.25]], np.float32))
    top_k.merge(0, 0, np.array([[0.5, 0.0], [0.0, 0.0]], np.float32))
    assert top_k.rows.tolist() == [[0, 4], [5, -1]]
    assert top_k.scores.tolist() == [[0.5, 0.5], [0.25, 0.0]]
