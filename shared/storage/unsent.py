"""The number and the age of documents with unsent events, for the metrics."""

from __future__ import annotations

from datetime import datetime

from shared.runtime.clock import Clock
from shared.runtime.metrics import OLDEST_UNSENT_SECONDS, UNSENT


class Unsent:
    """The last look at a store. The age of the oldest document also grows while looks fail."""

    def __init__(self, store: str, clock: Clock) -> None:
        self._count = UNSENT.labels(store=store)
        self._clock = clock
        self._since: datetime | None = None
        OLDEST_UNSENT_SECONDS.labels(store=store).set_function(self._oldest_seconds)

    def note(self, count: int, since: datetime | None) -> None:
        """Note the number of waiting documents, and the time of the oldest; None if no document waits."""
        self._count.set(count)
        self._since = since

    def _oldest_seconds(self) -> float:
        return 0.0 if self._since is None else max(0.0, (self._clock() - self._since).total_seconds())
