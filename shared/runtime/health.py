"""Health: liveness is progress of our own work; readiness is an assignment and a database."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

_LONGEST_REASON = 200

Check = Callable[[], Awaitable[None]]


class NotReady(Exception):
    """A readiness check failed; the message names the missing part."""


class Health:
    """The state behind `/livez` and `/readyz`.

    A busy worker calls `progress()` at every step. Waiting for an unavailable server counts as progress, because a
    restart would not help. A busy worker without progress for `stall_seconds` is stalled.
    """

    def __init__(self, stall_seconds: float, now: Callable[[], float] = time.monotonic) -> None:
        self._stall_seconds = stall_seconds
        self._now = now
        self._last_progress: dict[str, float] = {}
        self._checks: dict[str, Check] = {}

    def progress(self, worker: str) -> None:
        """Report that a worker is busy and has made progress."""
        self._last_progress[worker] = self._now()

    def idle(self, worker: str) -> None:
        """Report that a worker has no work."""
        self._last_progress.pop(worker, None)

    def require(self, name: str, check: Check) -> None:
        """Add a readiness check: a coroutine that raises an error if it fails."""
        self._checks[name] = check

    def stalled(self) -> list[str]:
        """Return the workers that are stalled."""
        now = self._now()
        return [worker for worker, last in self._last_progress.items() if now - last > self._stall_seconds]

    async def missing(self) -> dict[str, str]:
        """Return the failed readiness checks with their reasons; empty if the service is ready."""
        failed: dict[str, str] = {}
        for name, check in self._checks.items():
            try:
                await check()
            except Exception as error:  # noqa: BLE001 - after any error the service is not ready
                failed[name] = f"{type(error).__name__}: {error}"[:_LONGEST_REASON]
        return failed
