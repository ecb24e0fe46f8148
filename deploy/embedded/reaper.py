"""Kills what a supervisor leaves behind when it is killed itself.

Run as a process of its own, with nothing but the standard library. It reads process groups from its standard input,
`+GROUP` when one starts and `-GROUP` when it is gone. The kernel closes that pipe however the supervisor ends; then the
groups that are left are killed, with whatever they started.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress


class Reaper:
    """The supervisor's end of the pipe. The reaping process starts with the first group."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def add(self, group: int) -> None:
        """Kill this process group if we die before `remove`."""
        self._say(f"+{group}\n")

    def remove(self, group: int) -> None:
        """The group is gone: its number may be another's soon."""
        self._say(f"-{group}\n")

    def close(self) -> None:
        """End the reaping process, which kills what is left."""
        if self._process is not None:
            self._process.communicate()
            self._process = None

    def _say(self, line: str) -> None:
        if self._process is None:
            # In a session of its own: what kills our process group must not kill the reaper.
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
