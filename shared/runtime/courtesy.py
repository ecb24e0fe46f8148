"""Long work in a process that answers requests: it steps aside while requests are under way."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator

#: Longest pause of the work. After a pause the work goes on for at least a third of that time, so that it always ends.
_LONGEST_PAUSE_SECONDS = 0.06
_WORK_OF_PAUSE = 1 / 3


class Courtesy:
    """Knows the requests that are under way. Long work calls `pause` every few milliseconds."""

    def __init__(self) -> None:
        self._under_way = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._work_until = 0.0

    @contextlib.contextmanager
    def request(self) -> Iterator[None]:
        """Count a request as under way until the block ends."""
        self._under_way += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._idle.set()

    async def pause(self) -> None:
        """Let requests have a turn, and wait until none is under way: 60 ms at most, and three quarters of all time."""
        await asyncio.sleep(0)
        loop = asyncio.get_running_loop()
        began = loop.time()
        if not self._under_way or began < self._work_until:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LONGEST_PAUSE_SECONDS):
                await self._idle.wait()
        now = loop.time()
        self._work_until = now + (now - began) * _WORK_OF_PAUSE
