"""Vectors of rows with any number of vectors, laid out so that a matrix product reads no gaps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from services.matching.domain.text.scorer import Matrix

Rows = NDArray[np.intp]
Scalar = TypeVar("Scalar", bound=np.generic)

#: Width of coarse vectors: the first numbers of a vector, as small integers. Scorers put the most telling first.
COARSE_WIDTH: Final = 64
#: Scale of the integers. Numbers of unit vectors above .5 are rare, and are cut to it.
_COARSE_SCALE: Final = 254
#: Coarse vectors widened at once: as many as stay in the CPU's cache.
_COARSE_AT_ONCE: Final = 2000
_ABSENT: Final = -1


class BlockMatrix:
    """At most a single vector per row, without gaps.

    Coarse vectors have a sixteenth of the size and are stored column by column: comparing a vector with all vectors is
    bound by the memory read.
    """

    def __init__(self, width: int) -> None:
        self._vectors: Matrix = np.zeros((0, width), np.float32)
        self._coarse: NDArray[np.int8] = np.zeros((min(width, COARSE_WIDTH), 0), np.int8)
        self._owners: Rows = np.zeros(0, np.intp)
        self._places: Rows = np.zeros(0, np.intp)
        self._used = 0

    @property
    def size(self) -> int:
        """Size in bytes, with the reserve for more vectors."""
        return self._vectors.nbytes + self._coarse.nbytes + self._owners.nbytes + self._places.nbytes

    def put(self, row: int, vector: Matrix) -> None:
        """Set the vector of a row."""
        self._places = _with_room(self._places, row, _ABSENT)
        if self._places[row] == _ABSENT:
            self._places[row] = self._used
            self._owners = _with_room(self._owners, self._used, _ABSENT)
            self._vectors = _with_room(self._vectors, self._used, 0)
            self._coarse = _with_room(self._coarse, self._used, 0, axis=1)
            self._used += 1
        place = self._places[row]
        self._vectors[place], self._coarse[:, place], self._owners[place] = vector, _coarse_of(vector), row

    def remove(self, row: int) -> None:
        """Remove the vector of a row, if any. The last vector takes its place."""
        if row < len(self._places) and (place := self._places[row]) != _ABSENT:
            self._used -= 1
            for kept in (self._vectors, self._coarse.T, self._owners):
                kept[place] = kept[self._used]
            self._places[self._owners[place]] = place
            self._places[row] = _ABSENT

    def of(self, row: int) -> Matrix:
        """Return the vector of a row, if any; shape (0 or 1, width)."""
        return self.some(np.array([row]))[0]

    @property
    def owners(self) -> Rows:
        """The row of every vector."""
        return self._owners[: self._used]

    def cosines(self, wanted: Matrix) -> Matrix:
        """Return the cosine of every vector with every wanted vector; shape (vectors, wanted)."""
        return self._vectors[: self._used] @ wanted.T

    def coarse_cosines(self, wanted: Matrix) -> Matrix:
        """Return `cosines` of the coarse vectors, up to a factor: enough to draw up a shortlist."""
        wanted_vectors = np.ascontiguousarray(wanted[:, :COARSE_WIDTH])
        found = np.empty((len(wanted_vectors), self._used), np.float32)
        for at in range(0, self._used, _COARSE_AT_ONCE):
            some = slice(at, min(at + _COARSE_AT_ONCE, self._used))
            np.matmul(wanted_vectors, self._coarse[:, some].astype(np.float32), out=found[:, some])
        return found.T

    def some(self, rows: Rows) -> tuple[Matrix, Rows]:
        """Return the vectors of the rows that have any, and the places of these rows in `rows`."""
        self._places = _with_room(self._places, int(np.max(rows, initial=0)), _ABSENT)
        places = self._places[rows]
        there = np.flatnonzero(places != _ABSENT)
        return self._vectors[places[there]], there


class ItemVectors:
    """Vectors of the items of a role: first items of all rows in a matrix, second items in the next, and so on."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._matrices: list[BlockMatrix] = []

    @property
    def depth(self) -> int:
        """The largest number of items that any row has had."""
        return len(self._matrices)

    @property
    def size(self) -> int:
        """Size of the vectors in bytes."""
        return sum(matrix.size for matrix in self._matrices)

    def put(self, row: int, vectors: Matrix) -> None:
        """Replace the items of a row."""
        while len(self._matrices) < len(vectors):
            self._matrices.append(BlockMatrix(self._width))
        for at, matrix in enumerate(self._matrices):
            if at < len(vectors):
                matrix.put(row, vectors[at])
            else:
                matrix.remove(row)

    def of(self, row: int) -> Matrix:
        """Return the items of a row; shape (items, width)."""
        return np.concatenate([np.zeros((0, self._width), np.float32), *(matrix.of(row) for matrix in self._matrices)])

    def speaks(self, rows: Rows) -> NDArray[np.bool_]:
        """Tell for every row whether any of its items is not all zeros; shape (rows,)."""
        return np.array([bool(self.of(int(row)).any()) for row in rows], bool)

    def best(self, wanted: ItemVectors, own: Rows, partners: Rows) -> Matrix:
        """Return the best cosine, at least 0, of partners' items with the wanted items of `own`; (own, partners)."""
        best = np.zeros((len(partners), len(own)), np.float32)
        wanted_vectors, lines = wanted._gathered(own)
        for matrix in self._matrices:
            vectors, there = matrix.some(partners)
            _raise(best, vectors @ wanted_vectors.T, there, lines)
        return best.T

    def best_of_all(self, wanted: ItemVectors, own: Rows, count: int, *, coarse: bool = False) -> Matrix:
        """Return `best` with the first `count` rows as partners. `coarse`: see `BlockMatrix.coarse_cosines`."""
        best = np.zeros((count, len(own)), np.float32)
        wanted_vectors, lines = wanted._gathered(own)
        for matrix in self._matrices:
            # All wanted vectors at once, so that the many vectors of the matrix are read a single time.
            found = matrix.coarse_cosines(wanted_vectors) if coarse else matrix.cosines(wanted_vectors)
            _raise(best, found, matrix.owners, lines)
        return best.T

    def _gathered(self, rows: Rows) -> tuple[Matrix, list[Rows]]:
        """Return the items of these rows, matrix after matrix, and by matrix the places of its items in `rows`."""
        some = [matrix.some(rows) for matrix in self._matrices]
        nothing = np.zeros((0, self._width), np.float32)
        return np.concatenate([nothing, *(vectors for vectors, _ in some)]), [there for _, there in some]


def _coarse_of(vector: Matrix) -> NDArray[np.int8]:
    return np.clip(np.rint(_COARSE_SCALE * vector[:COARSE_WIDTH]), -127, 127).astype(np.int8)


def _raise(best: Matrix, found: Matrix, lines: Rows, columns: Sequence[Rows]) -> None:
    """Raise the cells at lines and columns to the found values: a part of `found` for every array in `columns`.

    Lines are unique, and so are the columns of a part.
    """
    is_every_line, at = _in_order(lines, best.shape[0]), 0
    for some in columns:
        part, at = found[:, at : at + len(some)], at + len(some)
        if is_every_line and _in_order(some, best.shape[1]):
            np.maximum(best, part, out=best)
        else:
            cells = np.ix_(lines, some)
            best[cells] = np.maximum(best[cells], part)


def _in_order(numbers: Rows, count: int) -> bool:
    return len(numbers) == count and bool((numbers[1:] > numbers[:-1]).all())


def _with_room(kept: NDArray[Scalar], place: int, empty: int, axis: int = 0) -> NDArray[Scalar]:
    """Return the same array, or a copy that is long enough along this axis to have this place."""
    if place < kept.shape[axis]:
        return kept
    shape = list(kept.shape)
    shape[axis] = 2 * place + 8
    longer = np.full(shape, empty, kept.dtype)
    longer[tuple(map(slice, kept.shape))] = kept
    return longer
