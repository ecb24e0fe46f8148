"""Vectors of rows that have any number of them each, laid so that a product of matrices reads nothing in vain."""

from __future__ import annotations

from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from services.matching.domain.text import Matrix

Rows = NDArray[np.intp]
Scalar = TypeVar("Scalar", bound=np.generic)

#: The first numbers of a vector, kept once more side by side: scorers put first what tells texts apart best.
LEAD: Final = 64
_ABSENT: Final = -1


class Plane:
    """At most one vector of each row, without gaps."""

    def __init__(self, width: int) -> None:
        self._vectors: Matrix = np.zeros((0, width), np.float32)
        self._leads: Matrix = np.zeros((0, min(width, LEAD)), np.float32)
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
            self._vectors, self._leads = (_with_room(kept, self._used, 0) for kept in (self._vectors, self._leads))
            self._used += 1
        place = self._places[row]
        self._vectors[place], self._leads[place], self._owners[place] = vector, vector[:LEAD], row

    def remove(self, row: int) -> None:
        """Forget the vector of a row, if it has one: the last one takes its place."""
        if row < len(self._places) and (place := self._places[row]) != _ABSENT:
            self._used -= 1
            for kept in (self._vectors, self._leads, self._owners):
                kept[place] = kept[self._used]
            self._places[self._owners[place]] = place
            self._places[row] = _ABSENT

    def of(self, row: int) -> Matrix:
        """The vector of a row, if it has one; shape (0 or 1, width)."""
        return self.some(np.array([row]))[0]

    def all(self, *, leads: bool = False) -> tuple[Matrix, Rows]:
        """Every vector, or the lead of every vector, and the row it belongs to, without copying them."""
        return (self._leads if leads else self._vectors)[: self._used], self._owners[: self._used]

    def some(self, rows: Rows) -> tuple[Matrix, Rows]:
        """The vectors of those rows that have one, and where each of them stands in `rows`."""
        self._places = _with_room(self._places, int(rows.max(initial=0)), _ABSENT)
        places = self._places[rows]
        there = np.flatnonzero(places != _ABSENT)
        return self._vectors[places[there]], there


class Side:
    """The items of one role: the first of each row in one plane, the second in the next, and so on."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._planes: list[Plane] = []

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
            self._planes.append(Plane(self._width))
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

    def best(self, wanted: Side, own: Rows, partners: Rows) -> Matrix:
        """The best cosine, 0 at least, of any item of each partner with any wanted item of each of `own`.

        Shape (own, partners).
        """
        best = np.zeros((len(own), len(partners)), np.float32)
        theirs = [plane.some(partners) for plane in self._planes]
        for wishes, lines in (plane.some(own) for plane in wanted._planes):
            for vectors, columns in theirs:
                _raise(best, wishes @ vectors.T, lines, columns)
        return best

    def best_of_all(self, wanted: Side, own: Rows, count: int, *, leads: bool = False) -> Matrix:
        """As `best`, with the first `count` rows for partners; `leads` compares only leads, in a fourth of the time."""
        best = np.zeros((count, len(own)), np.float32)
        mine = [plane.some(own) for plane in wanted._planes]
        ends = np.cumsum([0, *(len(lines) for _, lines in mine)])
        wishes = np.concatenate([np.zeros((0, self._width), np.float32), *(vectors for vectors, _ in mine)])
        for plane in self._planes:
            vectors, owners = plane.all(leads=leads)
            # All at once: the vectors, which are many, are read but once.
            found = vectors @ wishes[:, : vectors.shape[1]].T
            for at, (_, lines) in enumerate(mine):
                _raise(best, found[:, ends[at] : ends[at + 1]], owners, lines)
        return best.T


def _raise(best: Matrix, found: Matrix, lines: Rows, columns: Rows) -> None:
    """Raise to what was found the cells where these lines and columns cross; none comes twice."""
    if _in_order(lines, best.shape[0]) and _in_order(columns, best.shape[1]):
        np.maximum(best, found, out=best)
    else:
        cells = np.ix_(lines, columns)
        best[cells] = np.maximum(best[cells], found)


def _in_order(numbers: Rows, count: int) -> bool:
    return len(numbers) == count and bool((numbers[1:] > numbers[:-1]).all())


def _with_room(kept: NDArray[Scalar], place: int, empty: int) -> NDArray[Scalar]:
    """The same array, or a longer copy of it that has this place."""
    if place < len(kept):
        return kept
    longer = np.full((2 * place + 8, *kept.shape[1:]), empty, kept.dtype)
    longer[: len(kept)] = kept
    return longer
