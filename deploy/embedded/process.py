"""A child process: started with a log, watched until it is ready, and always stopped."""

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

#: Returns True once a program answers.
Probe = Callable[[], Awaitable[bool]]

_POLL_SECONDS = 0.05
_LOG_LINES_SHOWN = 15


class ProcessFailed(Exception):
    """A process ended, or was not ready in time. The message holds its name, its end, and the path of its log."""


@dataclass(frozen=True)
class Program:
    """A program to run: its name, command, environment, and readiness probe."""

    name: str
    command: Sequence[str]
    ready: Probe
    #: Variables added to the environment of the supervisor.
    environment: Mapping[str, str] = field(default_factory=dict)
    ready_seconds: float = 120.0
    #: True for a server whose data is deleted after the run: it is killed at the end, without SIGTERM.
    is_disposable: bool = False
    #: Seconds from SIGTERM to SIGKILL; more than the services' `shutdown_seconds`.
    grace_seconds: float = 25.0


class ChildProcess:
    """A running program in a session of its own, so that the terminal's Ctrl-C reaches the supervisor alone.

    It is not bound to an event loop: it may be started in a loop and stopped in another.
    """

    def __init__(self, program: Program, log: Path, reaper: Reaper) -> None:
        self.program = program
        self.log = log
        self._reaper = reaper
        self._popen: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the program. Its output is appended to the log.

        Raises:
            ProcessFailed: the command does not exist.
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

    @property
    def pid(self) -> int:
        """Id of the running process. Raises `ProcessFailed` if it does not run."""
        if self._popen is None:
            raise ProcessFailed(f"{self.program.name} does not run")
        return self._popen.pid

    async def ready(self) -> None:
        """Wait until the probe succeeds.

        Raises:
            ProcessFailed: the process ended, or was not ready within `ready_seconds`.
        """
        deadline = time.monotonic() + self.program.ready_seconds
        while not await self.program.ready():
            self.check()
            if time.monotonic() > deadline:
                raise self._failure(f"was not ready within {self.program.ready_seconds:g} s")
            await asyncio.sleep(_POLL_SECONDS)
        # The answer may come from a foreign process on the same port.
        self.check()

    def check(self) -> None:
        """Raise `ProcessFailed` if the process ended without `stop` or `kill`."""
        if self._popen is not None and self._popen.poll() is not None:
            raise self._failure(f"ended with {_describe_end(self._popen.returncode)}")

    async def stop(self) -> None:
        """Send SIGTERM, and SIGKILL after the grace period. Does nothing if the process does not run."""
        popen, self._popen = self._popen, None  # from here on its end is expected
        if popen is None:
            return
        try:
            popen.terminate()
            await _ended(popen, self.program.grace_seconds)
        finally:
            self._kill_group(popen)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal that does not end the process, such as SIGSTOP. Does nothing if it does not run."""
        if self._popen is not None:
            self._popen.send_signal(number)

    def kill(self) -> None:
        """Kill the process and its children (SIGKILL). Does nothing if it does not run."""
        popen, self._popen = self._popen, None
        if popen is not None:
            self._kill_group(popen)

    def _kill_group(self, popen: subprocess.Popen[bytes]) -> None:
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


def _describe_end(returncode: int) -> str:
    return f"exit code {returncode}" if returncode >= 0 else f"signal {signal.Signals(-returncode).name}"
