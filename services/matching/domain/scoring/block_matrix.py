"""Vectors of rows that have any number of them each, laid so that a product of matrices reads nothing in vain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from services.matching.domain.text.scorer import Matrix

Rows = NDArray[np.intp]
Scalar = TypeVar("Scalar", bound=np.generic)

#: The first numbers of a vector, kept once more as small integers: scorers put first what tells texts apart best.
LEAD: Final = 64
#: Of a lead's numbers, which are those of unit vectors: anything above half is rare, and is cut to it.
_LEAD_SCALE: Final = 254
#: Vectors whose leads are widened at once: so many stay in the cache.
_LEADS_AT_ONCE: Final = 2000
_ABSENT: Final = -1


class BlockMatrix:
    """At most one vector of each row, without gaps.

    Leads are a sixteenth of what they were taken from, and laid number by number: comparing one vector with all is
    bound by how much memory is read.
    """

    def __init__(self, width: int) -> None:
        self._vectors: Matrix = np.zeros((0, width), np.float32)
        self._leads: NDArray[np.int8] = np.zeros((min(width, LEAD), 0), np.int8)
        self._owners: Rows = np.zeros(0, np.intp)
        self._places: Rows = np.zeros(0, np.intp)
        self._used = 0

    @property
    def size(self) -> int:
        """What the vectors take, in bytes, with the room left for more."""
        return self._vectors.nbytes + self._leads.nbytes + self._owners.nbytes + self._places.nbytes

    def put(self, row: int, vector: Matrix) -> None:
        """Set the vector of a row."""
        self._places = _with_room(self._places, row, _ABSENT)
        if self._places[row] == _ABSENT:
            self._places[row] = self._used
            self._owners = _with_room(self._owners, self._used, _ABSENT)
            self._vectors = _with_room(self._vectors, self._used, 0)
            self._leads = _with_room(self._leads, self._used, 0, axis=1)
            self._used += 1
        place = self._places[row]
        self._vectors[place], self._leads[:, place], self._owners[place] = vector, _lead_of(vector), row

    def remove(self, row: int) -> None:
        """Forget the vector of a row, if it has one: the last one takes its place."""
        if row < len(self._places) and (place := self._places[row]) != _ABSENT:
            self._used -= 1
            for kept in (self._vectors, self._leads.T, self._owners):
                kept[place] = kept[self._used]
            self._places[self._owners[place]] = place
            self._places[row] = _ABSENT

    def of(self, row: int) -> Matrix:
        """The vector of a row, if it has one; shape (0 or 1, width)."""
        return self.some(np.array([row]))[0]

    @property
    def owners(self) -> Rows:
        """The row each vector belongs to."""
        return self._owners[: self._used]

    def cosines(self, wanted: Matrix) -> Matrix:
        """Of every vector with each wanted one; shape (vectors, wanted)."""
        return self._vectors[: self._used] @ wanted.T

    def rough_cosines(self, wanted: Matrix) -> Matrix:
        """As `cosines`, by the leads alone and up to a factor: for a first choice of whom to compare in full."""
        wishes = np.ascontiguousarray(wanted[:, :LEAD])
        found = np.empty((len(wishes), self._used), np.float32)
        for at in range(0, self._used, _LEADS_AT_ONCE):
            some = slice(at, min(at + _LEADS_AT_ONCE, self._used))
            np.matmul(wishes, self._leads[:, some].astype(np.float32), out=found[:, some])
        return found.T

    def some(self, rows: Rows) -> tuple[Matrix, Rows]:
        """The vectors of those rows that have one, and where each of them stands in `rows`."""
        self._places = _with_room(self._places, int(np.max(rows, initial=0)), _ABSENT)
        places = self._places[rows]
        there = np.flatnonzero(places != _ABSENT)
        return self._vectors[places[there]], there


class ItemVectors:
    """The items of one role: the first of each row in one plane, the second in the next, and so on."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._planes: list[BlockMatrix] = []

    @property
    def depth(self) -> int:
        """The most items any row has, or has had."""
        return len(self._planes)

    @property
    def size(self) -> int:
        """What the vectors take, in bytes."""
        return sum(plane.size for plane in self._planes)

    def put(self, row: int, vectors: Matrix) -> None:
        """Set the items of a row, in place of those it had."""
        while len(self._planes) < len(vectors):
            self._planes.append(BlockMatrix(self._width))
        for at, plane in enumerate(self._planes):
            if at < len(vectors):
                plane.put(row, vectors[at])
            else:
                plane.remove(row)

    def of(self, row: int) -> Matrix:
        """The items of a row; shape (items, width)."""
        return np.concatenate([np.zeros((0, self._width), np.float32), *(plane.of(row) for plane in self._planes)])

    def speaks(self, rows: Rows) -> NDArray[np.bool_]:
        """Whether each row has an item that is not all zeros; shape (rows,)."""
        return np.array([bool(self.of(int(row)).any()) for row in rows], bool)

    def best(self, wanted: ItemVectors, own: Rows, partners: Rows) -> Matrix:
        """The best cosine, 0 at least, of any item of each partner with any wanted item of each of `own`.

        Shape (own, partners).
        """
        best = np.zeros((len(partners), len(own)), np.float32)
        wishes, lines = wanted._gathered(own)
        for plane in self._planes:
            vectors, there = plane.some(partners)
            _raise(best, vectors @ wishes.T, there, lines)
        return best.T

    def best_of_all(self, wanted: ItemVectors, own: Rows, count: int, *, roughly: bool = False) -> Matrix:
        """As `best`, with the first `count` rows for partners; `roughly`: see `BlockMatrix.rough_cosines`."""
        best = np.zeros((count, len(own)), np.float32)
        wishes, lines = wanted._gathered(own)
        for plane in self._planes:
            # All at once: the vectors, which are many, are read but once.
            found = plane.rough_cosines(wishes) if roughly else plane.cosines(wishes)
            _raise(best, found, plane.owners, lines)
        return best.T

    def _gathered(self, rows: Rows) -> tuple[Matrix, list[Rows]]:
        """The items of these rows, plane after plane, and for each plane where its items stand in `rows`."""
        some = [plane.some(rows) for plane in self._planes]
        nothing = np.zeros((0, self._width), np.float32)
        return np.concatenate([nothing, *(vectors for vectors, _ in some)]), [there for _, there in some]


def _lead_of(vector: Matrix) -> NDArray[np.int8]:
    return np.clip(np.rint(_LEAD_SCALE * vector[:LEAD]), -127, 127).astype(np.int8)


def _raise(best: Matrix, found: Matrix, lines: Rows, columns: Sequence[Rows]) -> None:
    """Raise the cells where lines and columns cross to what was found: one part of `found` for each of `columns`.

    No line, and no column of one part, comes twice.
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
    """The same array, or a copy of it that is longer along this axis and has this place."""
    if place < kept.shape[axis]:
        return kept
    shape = list(kept.shape)
    shape[axis] = 2 * place + 8
    longer = np.full(shape, empty, kept.dtype)
    longer[tuple(map(slice, kept.shape))] = kept
    return longer
