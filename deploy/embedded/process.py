"""One child process: started with a log, watched until it is ready, stopped for certain."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from deploy.embedded.reaper import Reaper

#: Says whether a program answers yet.
Probe = Callable[[], Awaitable[bool]]

_POLL_SECONDS = 0.05
_LOG_LINES_SHOWN = 15


class ProcessFailed(Exception):
    """A process ended, or was not ready in time. The message says which, how, and where its log is."""


@dataclass(frozen=True)
class Program:
    """What to run, under which name, and how to tell that it is ready."""

    name: str
    command: Sequence[str]
    ready: Probe
    #: Added to our own environment.
    environment: Mapping[str, str] = field(default_factory=dict)
    ready_seconds: float = 120.0
    #: Keeps nothing that outlives the run: at its end it is killed, and not asked to tidy up first.
    is_disposable: bool = False
    #: From SIGTERM to SIGKILL. Above the services' own `shutdown_seconds`.
    grace_seconds: float = 25.0


class ChildProcess:
    """A running program, in a session of its own: the terminal's Ctrl-C reaches the supervisor alone.

    Not tied to an event loop: it may be started in one and stopped in another.
    """

    def __init__(self, program: Program, log: Path, reaper: Reaper) -> None:
        self.program = program
        self.log = log
        self._reaper = reaper
        self._popen: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; its output goes to the end of the log.

        Raises:
            ProcessFailed: there is no such command.
        """
        with self.log.open("ab") as log:
            try:
                self._popen = subprocess.Popen(  # noqa: S603 - our own programs
                    self.program.command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env={**os.environ, **self.program.environment},
                    start_new_session=True,
                )
            except OSError as error:
                raise ProcessFailed(f"{self.program.name} cannot be started: {error}") from error
        self._reaper.add(self._popen.pid)

    async def ready(self) -> None:
        """Wait until it answers.

        Raises:
            ProcessFailed: it ended, or did not answer within `ready_seconds`.
        """
        deadline = time.monotonic() + self.program.ready_seconds
        while not await self.program.ready():
            self.check()
            if time.monotonic() > deadline:
                raise self._failure(f"was not ready within {self.program.ready_seconds:g} s")
            await asyncio.sleep(_POLL_SECONDS)
        # What answered may be another's process on the same port.
        self.check()

    def check(self) -> None:
        """Raise `ProcessFailed` if it ended of itself."""
        if self._popen is not None and self._popen.poll() is not None:
            raise self._failure(f"ended with {_how(self._popen.returncode)}")

    async def stop(self) -> None:
        """Ask it to end (SIGTERM), and kill it after its grace. Nothing if it does not run."""
        popen, self._popen = self._popen, None  # from here on its end is expected
        if popen is None:
            return
        try:
            popen.terminate()
            await _ended(popen, self.program.grace_seconds)
        finally:
            self._bury(popen)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal that it is to survive, as SIGSTOP and SIGCONT. Nothing if it does not run."""
        if self._popen is not None:
            self._popen.send_signal(number)

    def kill(self) -> None:
        """Kill it (SIGKILL), with whatever it started. Nothing if it does not run."""
        popen, self._popen = self._popen, None
        if popen is not None:
            self._bury(popen)

    def _bury(self, popen: subprocess.Popen[bytes]) -> None:
        with suppress(ProcessLookupError):
            os.killpg(popen.pid, signal.SIGKILL)
        popen.wait()
        self._reaper.remove(popen.pid)

    def _failure(self, what: str) -> ProcessFailed:
        with self.log.open(errors="replace") as lines:
            end = "".join(deque(lines, _LOG_LINES_SHOWN)).rstrip() or "(nothing)"
        return ProcessFailed(f"{self.program.name} {what}. Its log, {self.log}, ends:\n{end}")


async def _ended(popen: subprocess.Popen[bytes], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while popen.poll() is None and time.monotonic() < deadline:  # noqa: ASYNC110 - a process sets no asyncio.Event
        await asyncio.sleep(_POLL_SECONDS)


def _how(returncode: int) -> str:
    return f"exit code {returncode}" if returncode >= 0 else f"signal {signal.Signals(-returncode).name}"
