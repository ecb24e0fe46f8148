"""Health: liveness is progress of our own work; readiness is an assignment and a database."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Literal

from shared.runtime.log import get_logger
from shared.runtime.metrics import PART_MISSING

#: Parts that readiness names: the start of the process, the servers that it needs, and its settings.
Part = Literal["start", "kafka", "mongo", "smtp", "settings"]
#: Longest time of a readiness check. A server that is slower counts as missing.
_CHECK_SECONDS = 1.5
_NO_ANSWER = f"no answer within {_CHECK_SECONDS:g} s"
_FAILED = "not available; the log event `part_missing` holds the error"

Check = Callable[[], Awaitable[None]]
_log = get_logger(__name__)


class NotReady(Exception):
    """A readiness check failed. `/readyz` shows the message: it holds no address and no text of another exception."""


class Health:
    """The state behind `/livez` and `/readyz`.

    A busy worker calls `progress()` at every step. Waiting for an unavailable server counts as progress, because a
    restart would not help. A busy worker without progress for `stall_seconds` is stalled.
    """

    def __init__(self, stall_seconds: float, now: Callable[[], float] = time.monotonic) -> None:
        self._stall_seconds = stall_seconds
        self._now = now
        self._last_progress: dict[str, float] = {}
        self._checks: dict[Part, Check] = {}
        self._logged: set[Part] = set()
        self._notes: dict[str, Callable[[], object]] = {}
        self._watched: dict[str, Callable[[], bool]] = {}

    def progress(self, worker: str) -> None:
        """Report that a worker is busy and has made progress."""
        self._last_progress[worker] = self._now()

    def idle(self, worker: str) -> None:
        """Report that a worker has no work."""
        self._last_progress.pop(worker, None)

    def watch(self, worker: str, is_stalled: Callable[[], bool]) -> None:
        """Ask whether a worker is stalled that cannot report by itself."""
        self._watched[worker] = is_stalled

    def require(self, name: Part, check: Check) -> None:
        """Add a readiness check: a coroutine that raises an error if the part is missing."""
        self._checks[name] = check

    def note(self, name: str, value: Callable[[], object]) -> None:
        """Show a value in `/readyz`, which has no influence on readiness. `value` returns JSON values."""
        self._notes[name] = value

    def notes(self) -> dict[str, object]:
        """Return the values to show."""
        return {name: value() for name, value in self._notes.items()}

    def stalled(self) -> list[str]:
        """Return the workers that are stalled."""
        now = self._now()
        late = [worker for worker, last in self._last_progress.items() if now - last > self._stall_seconds]
        return late + [worker for worker, is_stalled in self._watched.items() if is_stalled()]

    async def missing(self) -> dict[Part, str]:
        """Return the missing parts with their reasons; empty if the service is ready.

        Strangers may ask: a reason is a sentence of ours. The error itself is logged once, until the part is back.
        """
        reasons = await asyncio.gather(*(self._reason(name, check) for name, check in self._checks.items()))
        return {name: reason for name, reason in zip(self._checks, reasons, strict=True) if reason}

    async def measure(self) -> None:
        """Set the gauges of the parts."""
        missing = await self.missing()
        for part in self._checks:
            PART_MISSING.labels(part=part).set(part in missing)

    async def _reason(self, name: Part, check: Check) -> str:
        """Return the reason why a part is missing, or an empty text."""
        try:
            async with asyncio.timeout(_CHECK_SECONDS):
                await check()
        except NotReady as error:
            self._log_missing(name, error)
            return str(error)
        except TimeoutError as error:
            self._log_missing(name, error)
            return _NO_ANSWER
        except Exception as error:  # noqa: BLE001 - after any error the service is not ready
            self._log_missing(name, error)
            return _FAILED
        self._logged.discard(name)
        return ""

    def _log_missing(self, name: Part, error: Exception) -> None:
        if name not in self._logged:
            self._logged.add(name)
            _log.warning("part_missing", part=name, error=error)
