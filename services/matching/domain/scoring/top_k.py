"""The best partners of many rows, updated block by block."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.matching.domain.scoring.block_matrix import Rows
from services.matching.domain.text.scorer import Matrix

_ROW_BITS: Final = 32
_LAST_ROW: Final = 2**_ROW_BITS - 1
#: Least score that is kept: a pair without any fit is left out.
_LEAST: Final = np.finfo(np.float32).tiny


class TopK:
    """For every row the `count` partners with the highest scores above 0, best first, ties by row.

    A partner is stored as a number: the bits of the score before the bits of the row, so that numbers sort as pairs of
    score and row do.
    """

    def __init__(self, size: int, count: int) -> None:
        self._kept = np.zeros((size, count), np.int64)

    @property
    def rows(self) -> Rows:
        """Rows of the partners; shape (rows, count), -1 after the last."""
        best = self._kept[:, ::-1]
        return np.where(best > 0, _LAST_ROW - (best & _LAST_ROW), -1)

    @property
    def scores(self) -> Matrix:
        """Scores of the partners, in the same shape, 0 after the last."""
        return _scores_of(self._kept[:, ::-1])

    def merge(self, first: int, partner: int, scores: Matrix) -> None:
        """Merge the scores of the rows from `first` on with the partners from `partner` on."""
        bars = np.maximum(_scores_of(self._kept[first : first + len(scores), 0]), _LEAST)
        places = np.flatnonzero(scores >= bars[:, np.newaxis])
        if not len(places):
            return
        lines, columns = np.divmod(places, scores.shape[1])
        bits = scores.ravel()[places].view(np.int32).astype(np.int64)
        found = (bits << _ROW_BITS) | (_LAST_ROW - partner - columns)
        starts = np.flatnonzero(np.diff(lines, prepend=-1))
        touched, counts = lines[starts] + first, np.diff(starts, append=len(lines))
        new = np.zeros((len(touched), counts.max()), np.int64)
        new[np.repeat(np.arange(len(touched)), counts), np.arange(len(lines)) - np.repeat(starts, counts)] = found
        kept = np.sort(np.concatenate([self._kept[touched], new], axis=1), axis=1)
        self._kept[touched] = kept[:, -self._kept.shape[1] :]


def _scores_of(kept: NDArray[np.int64]) -> Matrix:
    return (kept >> _ROW_BITS).astype(np.int32).view(np.float32)
