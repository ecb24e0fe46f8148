"""The vectors of an edition's needs and offers: one participant against all, and all against all. Exact."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.matching.domain.text import Matrix, Role, TextScorer

Rows = NDArray[np.intp]
_ABSENT: Final = -1


class Plane:
    """At most one vector of each row, without gaps, so that a product of matrices reads nothing in vain."""

    def __init__(self, width: int) -> None:
        self._vectors: Matrix = np.zeros((0, width), np.float32)
        self._owners: Rows = np.zeros(0, np.intp)
        self._places: dict[int, int] = {}

    def put(self, row: int, vector: Matrix) -> None:
        """Set the vector of a row."""
        place = self._places.setdefault(row, len(self._places))
        if place == len(self._vectors):
            self._grow(2 * place + 8)
        self._vectors[place], self._owners[place] = vector, row

    def remove(self, row: int) -> None:
        """Forget the vector of a row, if it has one: the last one takes its place."""
        place = self._places.pop(row, None)
        if place is not None and place < len(self._places):
            last = len(self._places)
            self._vectors[place], self._owners[place] = self._vectors[last], self._owners[last]
            self._places[int(self._owners[last])] = place

    def of(self, row: int) -> Matrix | None:
        """The vector of a row, without copying it."""
        place = self._places.get(row)
        return None if place is None else self._vectors[place]

    def all(self) -> tuple[Matrix, Rows]:
        """Every vector and the row it belongs to, in no order that matters, without copying them."""
        return self._vectors[: len(self._places)], self._owners[: len(self._places)]

    def some(self, rows: Rows) -> tuple[Matrix, Rows]:
        """The vectors of those rows that have one, and where each of them stands in `rows`."""
        places = np.array([self._places.get(int(row), _ABSENT) for row in rows], np.intp)
        there = np.flatnonzero(places != _ABSENT)
        return self._vectors[places[there]], there

    def _grow(self, size: int) -> None:
        vectors, owners = np.zeros((size, self._vectors.shape[1]), np.float32), np.zeros(size, np.intp)
        vectors[: len(self._vectors)], owners[: len(self._owners)] = self._vectors, self._owners
        self._vectors, self._owners = vectors, owners


class Side:
    """The items of one role, any number to a row: the first of each row in one plane, the second in the next, ..."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._planes: list[Plane] = []

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
        held = [vector for plane in self._planes if (vector := plane.of(row)) is not None]
        return np.stack(held) if held else np.zeros((0, self._width), np.float32)

    def speaks(self, rows: Rows) -> NDArray[np.bool_]:
        """Whether each row has an item that is not all zeros; shape (rows,)."""
        return np.array([bool(self.of(int(row)).any()) for row in rows], bool)

    def best(self, wanted: Side, own: Rows, partners: Rows | None, count: int) -> Matrix:
        """The best cosine, 0 at least, of any item of each of `partners` (all: None) with any wanted item of `own`.

        Shape (own, partners); `count` is how many rows there are.
        """
        best = np.zeros((count if partners is None else len(partners), len(own)), np.float32)
        asked = [plane.some(own) for plane in wanted._planes]
        for plane in self._planes:
            vectors, there = plane.all() if partners is None else plane.some(partners)
            for wishes, lines in asked:
                if len(lines) and len(there):
                    cells = np.ix_(there, lines)
                    best[cells] = np.maximum(best[cells], vectors @ wishes.T)
        return best.T


class TextIndex:
    """The needs and offers of participants, each participant a row, and how well they fit.

    A change of one row moves no other. Memory: `4 * width` bytes an item.
    """

    def __init__(self, scorer: TextScorer) -> None:
        self._scorer = scorer
        self._count = 0
        self._needs, self._offers = Side(scorer.width), Side(scorer.width)

    def put(self, rows: Sequence[int], needs: Sequence[Sequence[str]], offers: Sequence[Sequence[str]]) -> None:
        """Set the needs and offers of these rows, in place of those they had; a row without any fits nobody."""
        self._count = max([self._count, *(row + 1 for row in rows)])
        for side, texts, role in ((self._needs, needs, Role.NEED), (self._offers, offers, Role.OFFER)):
            vectors = self._scorer.embed([text for own in texts for text in own], role)
            start = 0
            for row, own in zip(rows, texts, strict=True):
                side.put(row, vectors[start : start + len(own)])
                start += len(own)

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

        Both of shape (own, partners), 0..1: the best fit of any of their items.
        """
        forth = self._offers.best(self._needs, own, partners, self._count)
        back = self._needs.best(self._offers, own, partners, self._count)
        return self._scorer.fit(forth).astype(np.float64), self._scorer.fit(back).astype(np.float64)

    def met(self, seeker: int, provider: int) -> tuple[int, int, float] | None:
        """The need of one and the offer of the other that fit best, by number, and their fit; None if none fits."""
        needs, offers = self._needs.of(seeker), self._offers.of(provider)
        if not (len(needs) and len(offers)):
            return None
        cosines = needs @ offers.T
        need, offer = np.unravel_index(np.argmax(cosines), cosines.shape)
        fit = float(self._scorer.fit(cosines[need : need + 1, offer : offer + 1])[0, 0])
        return (int(need), int(offer), fit) if fit > 0 else None
