"""Readers that wait for the next item of a feed. A single query serves all waiting readers of a process."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict

from services.events.ports import FeedStore


class FeedWatch:
    """Wakes waiting readers when the feed that they read has a newer item."""

    def __init__(self, store: FeedStore) -> None:
        self._store = store
        #: By feed, the waiting readers and the number that each has seen.
        self._waiting: defaultdict[str, dict[asyncio.Event, int]] = defaultdict(dict)

    async def look(self) -> None:
        """Read the heads of the feeds with waiting readers, and wake the readers of the feeds that have grown."""
        if not self._waiting:
            return
        for key, number in (await self._store.numbers(sorted(self._waiting))).items():
            for woken, seen in self._waiting.get(key, {}).items():
                if number > seen:
                    woken.set()

    async def grows(self, key: str, seen: int, seconds: float) -> None:
        """Return once a feed has a newer item than the seen number, or after so many seconds."""
        woken = asyncio.Event()
        self._waiting[key][woken] = seen
        try:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(woken.wait(), seconds)
        finally:
            del self._waiting[key][woken]
            if not self._waiting[key]:
                del self._waiting[key]
