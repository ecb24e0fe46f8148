"""Relations that hold in both directions: competitors, earlier encounters, blocks."""

from __future__ import annotations

from collections.abc import Iterable


class SymmetricRelation:
    """A symmetric relation, built from the ids that its members name."""

    def __init__(self) -> None:
        self._says: dict[str, frozenset[str]] = {}
        self._said_by: dict[str, set[str]] = {}

    def put(self, one: str, others: Iterable[str]) -> None:
        """Replace the ids that a member names."""
        before, now = self._says.get(one, frozenset()), frozenset(others)
        if before == now:
            return
        for other in before - now:
            self._said_by[other].discard(one)
        for other in now - before:
            self._said_by.setdefault(other, set()).add(one)
        self._says[one] = now

    def of(self, one: str) -> set[str]:
        """Return the ids that a member names, and the ids of members that name it."""
        return self._said_by.get(one, set()) | self._says.get(one, frozenset())
