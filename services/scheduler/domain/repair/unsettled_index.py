"""Index of unsettled pairs, so that a step asks only the pairs that it concerns and a clock only the pairs due."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime

from services.scheduler.domain.snapshots import SettledPlace
from services.scheduler.domain.timetable.evidence import TableOccupancy


class UnsettledIndex:
    """Unsettled pairs by participant and table, the places that the facts allow, and the times of settlement.

    `evolve` doubts the pairs that a change may concern. `settling` reviews these before it reads `open` or `due_by`.

    - `displaced`: pairs that had a place.
    - `doubted`: pairs to be reviewed. A pair that is new to the index is one of them.
    - `open`: displaced pairs whose settled place the facts allow, whether the place is free or not.
    """

    def __init__(self, unsettled: Mapping[str, SettledPlace]) -> None:
        self.displaced: set[str] = set()
        self.doubted: set[str] = set()
        self.open: set[str] = set()
        self._pairs_of: defaultdict[str, set[str]] = defaultdict(set)
        self._occupancy = TableOccupancy({})
        self._due_at: dict[str, datetime] = {}
        self._by_due: list[tuple[datetime, str]] = []
        self._pairs: set[str] = set()
        for pair_id, settled in unsettled.items():
            self.add(pair_id, settled)

    def add(self, pair_id: str, settled: SettledPlace) -> None:
        """Add a pair that a change of facts has displaced or seated."""
        self._pairs.add(pair_id)
        self.doubted.add(pair_id)
        for participant_id in settled.people:
            self._pairs_of[participant_id].add(pair_id)
        if settled.place is not None:
            self.displaced.add(pair_id)
            self._occupancy.add(pair_id, settled.place)

    def discard(self, pair_id: str, settled: SettledPlace) -> None:
        """Undo `add`; it takes the same settled place."""
        for pairs in (self._pairs, self.doubted, self.displaced, self.open):
            pairs.discard(pair_id)
        for participant_id in settled.people:
            self._pairs_of[participant_id].discard(pair_id)
        if settled.place is not None:
            self._occupancy.discard(pair_id, settled.place)
        self._forget_due(pair_id)

    def pairs_of(self, participant_id: str) -> set[str]:
        """Return the pairs in whose settled encounters the participant met."""
        return self._pairs_of[participant_id]

    def pairs_at(self, zone_id: str, table: str) -> set[str]:
        """Return the pairs whose settled place is at the table."""
        return self._occupancy.at(zone_id, table)

    def doubt(self, pair_ids: Iterable[str]) -> None:
        """Have these pairs reviewed, as far as they are unsettled."""
        self.doubted.update(self._pairs.intersection(pair_ids))

    def review(self, pair_id: str, *, is_open: bool, due_at: datetime) -> None:
        """Record whether the facts allow the settled place of a pair, and the time at which the pair settles."""
        self.doubted.discard(pair_id)
        if is_open:
            self.open.add(pair_id)
        else:
            self.open.discard(pair_id)
        if self._due_at.get(pair_id) != due_at:
            self._forget_due(pair_id)
            self._due_at[pair_id] = due_at
            insort(self._by_due, (due_at, pair_id))

    def due_by(self, now: datetime) -> list[str]:
        """List the pairs that are settled by now, the earliest first."""
        due = []
        for due_at, pair_id in self._by_due:
            if due_at > now:
                break
            due.append(pair_id)
        return due

    def _forget_due(self, pair_id: str) -> None:
        if (due_at := self._due_at.pop(pair_id, None)) is not None:
            del self._by_due[bisect_left(self._by_due, (due_at, pair_id))]
