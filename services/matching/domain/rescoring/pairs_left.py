"""Work left of an event: touched pairs whose affinities did not fit in the journal entry of the event."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Protocol

from pydantic import BaseModel

#: Two participants, sorted.
Pair = tuple[str, str]

#: Pairs that an entry publishes at most, some 100 ms and 400 kB: pairs to score, or pairs that keep their score.
SCORED_AT_ONCE: Final = 256
KEPT_AT_ONCE: Final = 1024


class Occasion(Protocol):
    """The operator of an event, and its time."""

    @property
    def operator_id(self) -> str: ...

    @property
    def occurred_at(self) -> datetime: ...


class PairsLeft(BaseModel):
    """Pairs of an event that are still to be published, in order. `to_keep` keep their score, and come last."""

    operator_id: str
    occurred_at: datetime
    to_score: list[Pair]
    to_keep: list[Pair]

    @property
    def next_pairs(self) -> list[Pair]:
        """The pairs of the next slice."""
        return self.to_score[:SCORED_AT_ONCE] if self.to_score else self.to_keep[:KEPT_AT_ONCE]

    @property
    def is_slice(self) -> bool:
        """True if a slice has room for all pairs."""
        return len(self.to_score) <= SCORED_AT_ONCE and len(self.to_score) + len(self.to_keep) <= KEPT_AT_ONCE

    def remove(self, count: int) -> bool:
        """Remove the first pairs, and tell whether there are more."""
        del (self.to_score or self.to_keep)[:count]
        return bool(self.to_score or self.to_keep)
