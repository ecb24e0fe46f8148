"""Kills the processes that a killed supervisor leaves behind.

The reaper is a process with nothing but the standard library. It reads process groups from its standard input:
`+GROUP` at the start of a group, `-GROUP` at its end. The kernel closes that pipe however the supervisor ends. The
reaper then kills the groups that are left, with their children.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress


class Reaper:
    """The supervisor's end of the pipe. The reaper process starts with the first group."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def add(self, group: int) -> None:
        """Have this process group killed if the supervisor dies before `remove`."""
        self._send(f"+{group}\n")

    def remove(self, group: int) -> None:
        """Forget a group that has ended: the system may reuse its number."""
        self._send(f"-{group}\n")

    def close(self) -> None:
        """End the reaper process, which kills the groups that are left."""
        if self._process is not None:
            self._process.communicate()
            self._process = None

    def _send(self, line: str) -> None:
        if self._process is None:
            # A session of its own: a signal to our process group must not kill the reaper.
            command = [sys.executable, "-I", "-S", __file__]
            self._process = subprocess.Popen(  # noqa: S603 - ourselves
                command, stdin=subprocess.PIPE, start_new_session=True
            )
        if self._process.stdin is not None:
            self._process.stdin.write(line.encode())
            self._process.stdin.flush()


def reap(lines: Iterable[str]) -> None:
    """Follow the groups until the lines end, then kill those that are left."""
    groups: set[int] = set()
    for line in lines:
        if line.startswith("+"):
            groups.add(int(line[1:]))
        else:
            groups.discard(int(line[1:]))
    for group in groups:
        with suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    reap(sys.stdin)
