"""The vectors of an edition's needs and offers: one participant against all, and all against all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.matching.domain.scoring.block_matrix import ItemVectors, Rows
from services.matching.domain.scoring.terms import need_meets_offer
from services.matching.domain.scoring.top_k import TopK
from services.matching.domain.text.scorer import Matrix, Role, TextScorer

#: How much the weaker way counts where nothing says otherwise.
_MUTUALITY: Final = 0.3
#: How many are compared in full when there is more than one item to compare: .97 of the best are among them.
_SHORTLIST: Final = 500
#: Rows compared with as many others in one product of matrices: the scores of a block stay in the cache.
_BLOCK: Final = 512


class TextIndex:
    """The needs and offers of participants, each participant a row, and how well they fit.

    A change of one row moves no other. Memory: `4 * width + 64` bytes an item.
    """

    def __init__(self, scorer: TextScorer) -> None:
        self._scorer = scorer
        self._count = 0
        self._needs, self._offers = ItemVectors(scorer.width), ItemVectors(scorer.width)

    def put(self, rows: Sequence[int], needs: Sequence[Sequence[str]], offers: Sequence[Sequence[str]]) -> None:
        """Set the needs and offers of these rows, in place of those they had; a row without any fits nobody."""
        for role, texts in ((Role.NEED, needs), (Role.OFFER, offers)):
            vectors = self._scorer.embed([text for own in texts for text in own], role)
            start = 0
            for row, own in zip(rows, texts, strict=True):
                self.put_vectors(row, role, vectors[start : start + len(own)])
                start += len(own)

    def put_vectors(self, row: int, role: Role, vectors: Matrix) -> None:
        """Set the needs or the offers of a row that are embedded already; shape (items, width)."""
        self._count = max(self._count, row + 1)
        (self._needs if role is Role.NEED else self._offers).put(row, vectors)

    def remove(self, rows: Iterable[int]) -> None:
        """Forget the needs and offers of these rows."""
        nothing = np.zeros((0, self._scorer.width), np.float32)
        for row in rows:
            self._needs.put(row, nothing)
            self._offers.put(row, nothing)

    def speaks(self, rows: Rows) -> NDArray[np.bool_]:
        """Whether any need or offer of each row says something; shape (rows,)."""
        return self._needs.speaks(rows) | self._offers.speaks(rows)

    def fits(self, own: Rows, partners: Rows | None = None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """How well the needs of each of `own` fit the offers of each partner (all: None), and the reverse.

        Both of shape (own, partners), 0..1: the best fit of any of their items. Exact.
        """
        forth, back = self._cosines(own, partners)
        return self._scorer.fit(forth).astype(np.float64), self._scorer.fit(back).astype(np.float64)

    def best_need_and_offer(self, seeker: int, provider: int) -> tuple[int, int, float] | None:
        """The need of one and the offer of the other that fit best, by number, and their fit; None if none fits."""
        needs, offers = self._needs.of(seeker), self._offers.of(provider)
        if not (len(needs) and len(offers)):
            return None
        cosines = needs @ offers.T
        need, offer = np.unravel_index(np.argmax(cosines), cosines.shape)
        fit = float(self._scorer.fit(cosines[need : need + 1, offer : offer + 1])[0, 0])
        return (int(need), int(offer), fit) if fit > 0 else None

    def best(self, row: int, count: int, *, exact: bool = False) -> tuple[Rows, Matrix]:
        """The `count` rows that a row fits best, both ways, and how well: best first, ties by row.

        Exact where nobody has more than one need and one offer; otherwise the best of a shortlist drawn up by what
        tells texts apart best: over .96 of the `exact` answer (`tertulia bench matching` says how much).
        """
        own, partners = np.array([row]), None if exact else self._shortlist(row)
        scores = self._scores(own, partners)
        scores[0, row if partners is None else partners == row] = 0
        tops = TopK(1, count)
        tops.take(0, 0, scores)
        found = int(np.count_nonzero(tops.scores))
        ranked = tops.rows[0, :found]
        return (ranked if partners is None else partners[ranked]), tops.scores[0, :found]

    def all_best(self, count: int) -> TopK:
        """The `count` best of every row, exact. Memory: besides the answer, a block of scores."""
        tops = TopK(self._count, count)
        blocks = [np.arange(at, min(at + _BLOCK, self._count)) for at in range(0, self._count, _BLOCK)]
        for at, mine in enumerate(blocks):
            for theirs in blocks[at:]:
                scores = self._scores(mine, theirs)
                if mine is theirs:
                    np.fill_diagonal(scores, 0)
                else:
                    tops.take(int(theirs[0]), int(mine[0]), np.ascontiguousarray(scores.T))
                tops.take(int(mine[0]), int(theirs[0]), scores)
        return tops

    @property
    def megabytes(self) -> float:
        """What the vectors take."""
        return (self._needs.size + self._offers.size) / 2**20

    def _shortlist(self, row: int) -> Rows | None:
        """Whom to compare in full, rising; None for all."""
        if self._count <= _SHORTLIST or max(self._needs.depth, self._offers.depth) <= 1:
            return None
        rough = need_meets_offer(*self._cosines(np.array([row]), None, roughly=True), _MUTUALITY)[0]
        return np.sort(np.argpartition(-rough, _SHORTLIST)[:_SHORTLIST])

    def _scores(self, own: Rows, partners: Rows | None) -> Matrix:
        """How well rows and partners fit both ways; shape (own, partners)."""
        forth, back = map(self._scorer.fit, self._cosines(own, partners))
        return need_meets_offer(forth, back, _MUTUALITY)

    def _cosines(self, own: Rows, partners: Rows | None, *, roughly: bool = False) -> tuple[Matrix, Matrix]:
        """The best cosines of the needs of `own` with the partners' offers (all: None), and the reverse."""
        if partners is not None:
            return self._offers.best(self._needs, own, partners), self._needs.best(self._offers, own, partners)
        forth = self._offers.best_of_all(self._needs, own, self._count, roughly=roughly)
        return forth, self._needs.best_of_all(self._offers, own, self._count, roughly=roughly)
