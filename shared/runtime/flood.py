"""Damping of log floods: a library that repeats a message writes a few lines a minute, and the rest is counted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

WINDOW_SECONDS = 60.0
#: Lines a minute of a logger with the same message template, and of a logger in all.
LINES_A_TEMPLATE = 3
LINES_A_LOGGER = 30
_LONGEST_TEMPLATE = 200
_VARYING = re.compile(r"'[^']*'|\"[^\"]*\"|0x[0-9a-f]+|\d+")


class Dropped(NamedTuple):
    """Number of the lines of a logger with a template that were dropped in a window."""

    logger: str
    template: str
    lines: int


@dataclass
class _Window:
    ends: float
    lines: int = 0
    dropped: int = 0


class FloodDamper:
    """Counts lines by logger and message template in windows of a minute.

    Messages that a library has formatted itself have no template: numbers and quoted texts count as varying parts.
    """

    def __init__(self) -> None:
        self._templates: dict[tuple[str, str], _Window] = {}
        self._loggers: dict[str, _Window] = {}
        self._next_end = 0.0

    def admits(self, logger: str, message: str, now: float) -> bool:
        """Count a line at a time in seconds; return whether it is written."""
        template = _VARYING.sub("%", message[:_LONGEST_TEMPLATE])
        of_logger = self._loggers.setdefault(logger, _Window(now + WINDOW_SECONDS))
        key = (logger, template)
        if key not in self._templates and of_logger.lines >= LINES_A_LOGGER:
            key = (logger, "(further messages)")
        window = self._templates.setdefault(key, _Window(now + WINDOW_SECONDS))
        self._next_end = min(self._next_end or window.ends, window.ends)
        if window.lines >= LINES_A_TEMPLATE or of_logger.lines >= LINES_A_LOGGER:
            window.dropped += 1
            return False
        window.lines += 1
        of_logger.lines += 1
        return True

    def dropped(self, now: float) -> Iterator[Dropped]:
        """End the windows that are over, and yield the counts of their dropped lines."""
        if now < self._next_end or not self._templates:
            return
        over = {key: window for key, window in self._templates.items() if window.ends <= now}
        for key in over:
            del self._templates[key]
        for logger in [logger for logger, window in self._loggers.items() if window.ends <= now]:
            del self._loggers[logger]
        self._next_end = min((window.ends for window in self._templates.values()), default=0.0)
        for (logger, template), window in over.items():
            if window.dropped:
                yield Dropped(logger, template, window.dropped)
