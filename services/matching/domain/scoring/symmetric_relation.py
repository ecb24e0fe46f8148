"""Relations that hold in both directions: competitors, earlier encounters, blocks."""

from __future__ import annotations

from collections.abc import Iterable


class SymmetricRelation:
    """A symmetric relation, built from the ids that its members name."""

    def __init__(self) -> None:
        self._named: dict[str, frozenset[str]] = {}
        self._named_by: dict[str, set[str]] = {}

    def put(self, member_id: str, named_ids: Iterable[str]) -> None:
        """Replace the ids that a member names."""
        before, now = self._named.get(member_id, frozenset()), frozenset(named_ids)
        if before == now:
            return
        for named_id in before - now:
            self._named_by[named_id].discard(member_id)
        for named_id in now - before:
            self._named_by.setdefault(named_id, set()).add(member_id)
        self._named[member_id] = now

    def of(self, member_id: str) -> set[str]:
        """Return the ids that a member names, and the ids of members that name it."""
        return self._named_by.get(member_id, set()) | self._named.get(member_id, frozenset())
