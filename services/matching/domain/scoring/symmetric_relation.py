"""What one says of others holds both ways: competitors, earlier encounters, whom somebody blocks."""

from __future__ import annotations

from collections.abc import Iterable


class SymmetricRelation:
    """A symmetric relation that is made of what each side says of the others."""

    def __init__(self) -> None:
        self._says: dict[str, frozenset[str]] = {}
        self._said_by: dict[str, set[str]] = {}

    def put(self, one: str, others: Iterable[str]) -> None:
        """Set whom `one` names, in place of those named before."""
        before, now = self._says.get(one, frozenset()), frozenset(others)
        if before == now:
            return
        for other in before - now:
            self._said_by[other].discard(one)
        for other in now - before:
            self._said_by.setdefault(other, set()).add(one)
        self._says[one] = now

    def of(self, one: str) -> set[str]:
        """Those whom `one` names, and those who name `one`."""
        return self._said_by.get(one, set()) | self._says.get(one, frozenset())
