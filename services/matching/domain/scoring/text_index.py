"""Vectors of an edition's needs and offers: compares a participant with all, and all with all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.matching.domain.scoring.block_matrix import ItemVectors, Rows
from services.matching.domain.scoring.terms import need_meets_offer
from services.matching.domain.scoring.top_k import TopK
from services.matching.domain.text.scorer import Matrix, Role, TextScorer

#: Share of both directions if the kind of cooperation is unknown.
_MUTUALITY: Final = 0.3
#: Rows compared in full if rows have several items; they include .97 of the best.
_SHORTLIST: Final = 500
#: Rows compared with as many rows in a product of matrices: the scores of a block stay in the CPU's cache.
_BLOCK: Final = 512

#: Cosine from which two offers, or two needs, have the same meaning.
_SAME: Final = 0.7
#: Share of the likeness of two profiles from which the cosine of a need and an offer is a met need.
_MET: Final = 0.75


class TextIndex:
    """Needs and offers of participants, a row per participant, and their fits.

    A change of a row leaves all further rows alone. Memory: `4 * width + 64` bytes an item.
    """

    def __init__(self, scorer: TextScorer) -> None:
        self._scorer = scorer
        self._count = 0
        self._needs, self._offers = ItemVectors(scorer.width), ItemVectors(scorer.width)

    def put(self, rows: Sequence[int], needs: Sequence[Sequence[str]], offers: Sequence[Sequence[str]]) -> None:
        """Replace the needs and offers of these rows. A row without any has no fits."""
        for role, texts in ((Role.NEED, needs), (Role.OFFER, offers)):
            vectors = self._scorer.embed([text for own in texts for text in own], role)
            start = 0
            for row, own in zip(rows, texts, strict=True):
                self.put_vectors(row, role, vectors[start : start + len(own)])
                start += len(own)

    def put_vectors(self, row: int, role: Role, vectors: Matrix) -> None:
        """Replace the needs or the offers of a row with embedded vectors; shape (items, width)."""
        self._count = max(self._count, row + 1)
        (self._needs if role is Role.NEED else self._offers).put(row, vectors)

    def remove(self, rows: Iterable[int]) -> None:
        """Remove the needs and offers of these rows."""
        nothing = np.zeros((0, self._scorer.width), np.float32)
        for row in rows:
            self._needs.put(row, nothing)
            self._offers.put(row, nothing)

    def speaks(self, rows: Rows) -> NDArray[np.bool_]:
        """Tell for every row whether any need or offer has a vector; shape (rows,)."""
        return self._needs.speaks(rows) | self._offers.speaks(rows)

    def fits(self, own: Rows, partners: Rows | None = None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the best fit of the needs of `own` with the offers of partners (None: all), and the reverse.

        Both of shape (own, partners), 0..1, exact.
        """
        forth, back = self._cosines(own, partners)
        return self._scorer.fit(forth).astype(np.float64), self._scorer.fit(back).astype(np.float64)

    def cosines_of(self, seeker: int, provider: int) -> Matrix:
        """Return the cosines of the needs of a row with the offers of another; shape (needs, offers)."""
        cosines: Matrix = self._needs.of(seeker) @ self._offers.of(provider).T
        return cosines

    def best_need_and_offer(
        self, seeker: int, provider: int, certainties: Matrix | None = None
    ) -> tuple[int, int, float] | None:
        """Return the numbers of the need and the offer that fit best, and their fit; None without a fit.

        With `certainties` of the shape of `cosines_of`, the surest pair comes before the best fit.
        """
        cosines = self.cosines_of(seeker, provider)
        if not cosines.size:
            return None
        surest = cosines if certainties is None else np.where(certainties == certainties.max(), cosines, -np.inf)
        need, offer = np.unravel_index(np.argmax(surest), cosines.shape)
        fit = float(self._scorer.fit(cosines[need : need + 1, offer : offer + 1])[0, 0])
        return (int(need), int(offer), fit) if fit > 0 else None

    def are_rivals(self, first: int, second: int) -> bool:
        """Return whether two rows have the same offers and the same needs, and no need finds its offer."""
        needs, offers = ([vectors.of(row) for row in (first, second)] for vectors in (self._needs, self._offers))
        if not all(map(len, (*needs, *offers))):
            return False
        likeness = min(_likeness(*offers), _likeness(*needs))
        met = max(float((needs[0] @ offers[1].T).max()), float((needs[1] @ offers[0].T).max()))
        return likeness >= _SAME and met < _MET * likeness

    def rivals_of(self, row: int, rows: Rows) -> set[int]:
        """Return the rivals of a row among these rows."""
        alike = self._offers.best(self._offers, np.array([row]), rows)[0] >= _SAME
        return {int(partner) for partner in rows[alike] if self.are_rivals(row, int(partner))}

    def best(self, row: int, count: int, *, exact: bool = False) -> tuple[Rows, Matrix]:
        """Return the `count` rows that fit a row best in both directions, and their scores; best first, ties by row.

        Exact if no participant has more than a single need and offer. Otherwise the best of a shortlist by coarse
        vectors: over .96 of the `exact` answer (`tertulia bench matching` measures it).
        """
        own, partners = np.array([row]), None if exact else self._shortlist(row)
        scores = self._scores(own, partners)
        scores[0, row if partners is None else partners == row] = 0
        top_k = TopK(1, count)
        top_k.merge(0, 0, scores)
        found = int(np.count_nonzero(top_k.scores))
        ranked = top_k.rows[0, :found]
        return (ranked if partners is None else partners[ranked]), top_k.scores[0, :found]

    def all_best(self, count: int) -> TopK:
        """Return the `count` best of every row, exact. Memory: besides the answer, a block of scores."""
        top_k = TopK(self._count, count)
        blocks = [np.arange(at, min(at + _BLOCK, self._count)) for at in range(0, self._count, _BLOCK)]
        for at, mine in enumerate(blocks):
            for theirs in blocks[at:]:
                scores = self._scores(mine, theirs)
                if mine is theirs:
                    np.fill_diagonal(scores, 0)
                else:
                    top_k.merge(int(theirs[0]), int(mine[0]), np.ascontiguousarray(scores.T))
                top_k.merge(int(mine[0]), int(theirs[0]), scores)
        return top_k

    @property
    def megabytes(self) -> float:
        """Size of the vectors."""
        return (self._needs.size + self._offers.size) / 2**20

    def _shortlist(self, row: int) -> Rows | None:
        """Return the rows to compare in full, ascending; None for all."""
        if self._count <= _SHORTLIST or max(self._needs.depth, self._offers.depth) <= 1:
            return None
        coarse_scores = need_meets_offer(*self._cosines(np.array([row]), None, coarse=True), _MUTUALITY)[0]
        return np.sort(np.argpartition(-coarse_scores, _SHORTLIST)[:_SHORTLIST])

    def _scores(self, own: Rows, partners: Rows | None) -> Matrix:
        """Return the scores of rows and partners in both directions; shape (own, partners)."""
        forth, back = map(self._scorer.fit, self._cosines(own, partners))
        return need_meets_offer(forth, back, _MUTUALITY)

    def _cosines(self, own: Rows, partners: Rows | None, *, coarse: bool = False) -> tuple[Matrix, Matrix]:
        """Return the best cosines of the needs of `own` with the partners' offers (None: all), and the reverse."""
        if partners is not None:
            return self._offers.best(self._needs, own, partners), self._needs.best(self._offers, own, partners)
        forth = self._offers.best_of_all(self._needs, own, self._count, coarse=coarse)
        return forth, self._needs.best_of_all(self._offers, own, self._count, coarse=coarse)


def _likeness(first: Matrix, second: Matrix) -> float:
    """Return the least cosine of an item of either side with the nearest item of the partner."""
    cosines = first @ second.T
    return float(min(cosines.max(axis=0).min(), cosines.max(axis=1).min()))
