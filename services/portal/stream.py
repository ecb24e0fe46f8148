"""The live stream: it tells open pages that something of their edition has changed, without any data."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator

from services.portal.ports import ThingStore

#: A proxy closes a connection that is silent for a minute.
_SILENCE_SECONDS = 20.0


class StreamsFull(Exception):
    """The process has as many open streams as the settings allow."""


class Nudges:
    """Tells streams of changes. A single query serves all followed editions."""

    def __init__(self, store: ThingStore, most: int) -> None:
        self._store = store
        self._most = most
        self._waiting: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self._numbers: dict[str, int] = {}

    async def look(self) -> None:
        """Read the heads of the followed editions, and wake the streams of the changed editions."""
        heads = await self._store.heads(sorted(self._waiting))
        for edition_id, number in heads.items():
            if self._numbers.get(edition_id) != number:
                self._numbers[edition_id] = number
                for woken in self._waiting.get(edition_id, ()):
                    woken.set()

    async def stream(self, edition_id: str, seen: int | None) -> AsyncIterator[str]:
        """Yield Server-Sent Events: a number of the head whenever it has changed. `seen` is the browser's last.

        Raises:
            StreamsFull: too many streams are open.
        """
        if sum(map(len, self._waiting.values())) >= self._most:
            raise StreamsFull(f"{self._most} pages are followed already")
        woken = asyncio.Event()
        self._waiting[edition_id].add(woken)
        try:
            yield "retry: 3000\n\n"
            last = seen
            while True:
                woken.clear()
                number = self._numbers.get(edition_id)
                if number is not None and number != last:
                    yield f"id: {number}\nevent: changed\ndata:\n\n"
                    last = number
                try:
                    await asyncio.wait_for(woken.wait(), _SILENCE_SECONDS)
                except TimeoutError:
                    yield ":\n\n"
        finally:
            self._waiting[edition_id].discard(woken)
            if not self._waiting[edition_id]:
                del self._waiting[edition_id]
                self._numbers.pop(edition_id, None)
