"""Background work beside the consumer: sweeping, improving, mailing."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from shared.runtime.health import Health
from shared.runtime.log import get_logger
from shared.runtime.metrics import LOOP_LAG_SECONDS, RETRIES
from shared.runtime.retry import waits

_log = get_logger(__name__)
_TIMER_SECONDS = 0.05


class Background:
    """Repeats pieces of work. After an error it logs, and waits longer with every further error."""

    def __init__(self, health: Health) -> None:
        self._health = health
        self._work: list[tuple[str, float, Callable[[], Awaitable[None]]]] = []
        self._tasks: list[asyncio.Task[None]] = []

    def every(self, seconds: float, work: Callable[[], Awaitable[None]], name: str) -> None:
        """Add work. From `start` on it runs, and again `seconds` after the end of a run."""
        self._work.append((name, seconds, work))

    async def start(self) -> None:
        """Start all work."""
        self._tasks = [asyncio.create_task(self._repeat(*work), name=work[0]) for work in self._work]

    async def stop(self) -> None:
        """Cancel the running work, and wait until it has ended."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._tasks = []

    async def _repeat(self, name: str, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        errors = waits()
        while True:
            self._health.progress(name)
            try:
                await work()
            except Exception as error:  # noqa: BLE001 - any error is logged, and the work tried again
                RETRIES.labels(error=type(error).__name__).inc()
                _log.warning("background_failed", work=name, error=error)
                self._health.idle(name)
                await asyncio.sleep(next(errors))
            else:
                errors = waits()
                self._health.idle(name)
                await asyncio.sleep(seconds)


async def measure_loop() -> None:
    """Note by how much a timer of the event loop is late."""
    loop = asyncio.get_running_loop()
    due = loop.time() + _TIMER_SECONDS
    await asyncio.sleep(_TIMER_SECONDS)
    LOOP_LAG_SECONDS.observe(max(0.0, loop.time() - due))
