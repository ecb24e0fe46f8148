"""Bookings of participants and tables, read from the scheduler's journal without any code of the scheduler."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any


class Bookings:
    """Times at which participants and tables are taken, as a journal's changes say."""

    def __init__(self) -> None:
        self._participants: dict[str, tuple[str, ...]] = {}
        self._times: dict[str, tuple[datetime, datetime]] = {}
        self._pairs_of: defaultdict[str, set[str]] = defaultdict(set)

    def apply(self, changes: Iterable[dict[str, Any]]) -> Iterator[str]:
        """Apply the changes of one entry, then describe each clash of a meeting that the entry places."""
        placed: set[str] = set()
        for change in changes:
            pair_id = change.get("pair_id")
            if change["type"] == "pair_taken":
                self._participants[change["pair_id"]] = tuple(change["pair"]["participant_ids"])
            elif change["type"] == "taken_over":
                self._participants[change["pair_id"]] = tuple(change["people"])
            elif change["type"] == "placed":
                self._remove(change["pair_id"])
                self._place(change["pair_id"], change["place"])
                placed.add(change["pair_id"])
            elif change["type"] == "lifted" and pair_id is not None:
                self._remove(pair_id)
        yield from self._clashes(placed)

    def _place(self, pair_id: str, place: dict[str, Any]) -> None:
        self._times[pair_id] = (datetime.fromisoformat(place["starts_at"]), datetime.fromisoformat(place["ends_at"]))
        for resource in (*self._participants[pair_id], f"table {place['zone_id']}/{place['table']}"):
            self._pairs_of[resource].add(pair_id)

    def _remove(self, pair_id: str) -> None:
        if self._times.pop(pair_id, None):
            for pair_ids in self._pairs_of.values():
                pair_ids.discard(pair_id)

    def _clashes(self, placed: set[str]) -> Iterator[str]:
        for resource, pair_ids in self._pairs_of.items():
            for pair_id in sorted(pair_ids & placed):
                starts, ends = self._times[pair_id]
                for neighbour_id in sorted(pair_ids - {pair_id}):
                    if self._times[neighbour_id][0] < ends and starts < self._times[neighbour_id][1]:
                        yield f"{resource} is taken by {pair_id} and {neighbour_id} at {starts.isoformat()}"
