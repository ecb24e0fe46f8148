"""Rows of unequal length in one array, so that numpy works on all of them at once."""

from __future__ import annotations

from typing import Generic, TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

Scalar = TypeVar("Scalar", bound=np.generic)
Rows = NDArray[np.intp]
_NOBODY = -1


class Ragged(Generic[Scalar]):
    """A list of rows of any length.

    A row that is set again goes to the end; its old values are removed when the array next grows.
    """

    def __init__(self, dtype: DTypeLike) -> None:
        self._values: NDArray[Scalar] = np.zeros(0, dtype)
        self._owners: Rows = np.zeros(0, np.intp)
        self._used = 0
        self._starts: Rows = np.zeros(0, np.intp)
        self._counts: Rows = np.zeros(0, np.intp)

    def put(self, row: int, values: NDArray[Scalar]) -> None:
        """Set the values of a row. A row that was never set is empty."""
        self._make_room(row, len(values))
        start, count = self._starts[row], self._counts[row]
        self._owners[start : start + count] = _NOBODY
        self._values[self._used : self._used + len(values)] = values
        self._owners[self._used : self._used + len(values)] = row
        self._starts[row], self._counts[row] = self._used, len(values)
        self._used += len(values)

    def of(self, row: int) -> NDArray[Scalar]:
        """Return the values of a row, without a copy."""
        start = self._starts[row]
        return self._values[start : start + self._counts[row]]

    def all(self) -> tuple[NDArray[Scalar], Rows]:
        """Return every value and its row, -1 for removed values; without a copy."""
        return self._values[: self._used], self._owners[: self._used]

    def some(self, rows: Rows) -> tuple[NDArray[Scalar], Rows]:
        """Return the values of these rows, and for every value the place of its row in `rows`."""
        counts = self._counts[rows]
        places = np.repeat(np.arange(len(rows)), counts)
        within = np.arange(len(places)) - np.repeat(np.cumsum(counts) - counts, counts)
        return self._values[self._starts[rows][places] + within], places

    def _make_room(self, row: int, count: int) -> None:
        if row >= len(self._starts):
            more = np.zeros(max(row + 1, 2 * len(self._starts)) - len(self._starts), np.intp)
            self._starts, self._counts = np.append(self._starts, more), np.append(self._counts, more)
        if self._used + count > len(self._values):
            self._sweep(count)

    def _sweep(self, count: int) -> None:
        """Drop removed values, keep the order, and reserve room for as many more."""
        kept = np.flatnonzero(self._owners[: self._used] != _NOBODY)
        values = np.zeros(2 * (len(kept) + count), self._values.dtype)
        owners = np.full(len(values), _NOBODY)
        values[: len(kept)], owners[: len(kept)] = self._values[kept], self._owners[kept]
        self._starts[owners[: len(kept)][::-1]] = np.arange(len(kept))[::-1]
        self._values, self._owners, self._used = values, owners, len(kept)
