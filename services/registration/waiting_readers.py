"""The readers of change feeds that wait for events, by operator: they hold connections."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from typing import Final

#: Readers of an operator that wait at once in a process: long polls and streams.
MOST_READERS: Final = 100


class TooManyReaders(Exception):
    """As many readers of the operator wait as may wait."""


class WaitingReaders:
    """Counts the waiting readers by operator."""

    def __init__(self) -> None:
        self._count: Counter[str] = Counter()

    @contextlib.contextmanager
    def waiting(self, operator_id: str) -> Iterator[None]:
        """Count a reader while it waits. Raise `TooManyReaders` if too many of its operator wait."""
        if self._count[operator_id] >= MOST_READERS:
            raise TooManyReaders(f"{MOST_READERS} readers of yours wait for events already")
        self._count[operator_id] += 1
        try:
            yield
        finally:
            self._count[operator_id] -= 1
            if not self._count[operator_id]:
                del self._count[operator_id]
