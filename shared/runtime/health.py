"""Liveness is progress of our own, never Kafka's or Mongo's; readiness is an assignment and a database."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

_LONGEST_REASON = 200

Check = Callable[[], Awaitable[None]]


class NotReady(Exception):
    """A readiness check failed; the message says what is missing."""


class Health:
    """What `/livez` and `/readyz` answer.

    Work in hand calls `progress()` whenever it gets somewhere, waiting for a server that is away included:
    a restart would not bring it back. `stall_seconds` without progress while work is in hand is a stall.
    """

    def __init__(self, stall_seconds: float, now: Callable[[], float] = time.monotonic) -> None:
        self._stall_seconds = stall_seconds
        self._now = now
        self._last_progress: dict[str, float] = {}
        self._checks: dict[str, Check] = {}

    def progress(self, worker: str) -> None:
        """Say that a worker is at work and has got somewhere."""
        self._last_progress[worker] = self._now()

    def idle(self, worker: str) -> None:
        """Say that a worker has nothing in hand."""
        self._last_progress.pop(worker, None)

    def require(self, name: str, check: Check) -> None:
        """Add a readiness check: a coroutine that raises when it fails."""
        self._checks[name] = check

    def stalled(self) -> list[str]:
        """The workers that have had work in hand for too long without progress."""
        now = self._now()
        return [worker for worker, last in self._last_progress.items() if now - last > self._stall_seconds]

    async def missing(self) -> dict[str, str]:
        """The failed readiness checks and why, none when ready."""
        failed: dict[str, str] = {}
        for name, check in self._checks.items():
            try:
                await check()
            except Exception as error:  # noqa: BLE001 - whatever it is, the service is not ready
                failed[name] = f"{type(error).__name__}: {error}"[:_LONGEST_REASON]
        return failed
