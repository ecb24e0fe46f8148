"""The demo's live progress: a bar each on a terminal, plain lines elsewhere."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from demo.observer import Observed
from shared.contract.events import MatchRequestChanged, NotificationRecorded, ParticipantChanged

#: How often bars move, and how often plain lines are written at most, in seconds.
_REFRESH, _PLAIN_EVERY = 0.2, 2.0


def counts(seen: Observed) -> dict[str, int]:
    """How far the edition is: the five figures of the demo."""
    requests = seen.all(MatchRequestChanged)
    directed = {key for key, request in requests.items() if request.target_id is not None}
    return {
        "registered": len(seen.all(ParticipantChanged)),
        "requested": len(requests),
        "scored": len(directed & seen.scored),
        "placed": len(seen.placed()),
        "mailed": len(seen.all(NotificationRecorded)),
    }


class LiveProgress:
    """Shows `counts` against their totals while it is entered."""

    def __init__(self, console: Console, seen: Observed, totals: Mapping[str, int]) -> None:
        self._console = console
        self._seen = seen
        self._totals = totals
        self._progress = Progress(
            TextColumn("{task.description:>10}"),
            BarColumn(bar_width=40),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._bars: dict[str, TaskID] = {}
        self._said = ""
        self._showing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._progress.start()
        self._bars = {name: self._progress.add_task(name, total=total) for name, total in self._totals.items()}
        self._showing = asyncio.create_task(self._show())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._showing is not None:
            self._showing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._showing
        self._update(counts(self._seen))
        self._progress.stop()

    async def _show(self) -> None:
        said_at = time.monotonic()
        while True:
            now = counts(self._seen)
            self._update(now)
            if not self._console.is_terminal and time.monotonic() - said_at >= _PLAIN_EVERY:
                self._say(now)
                said_at = time.monotonic()
            await asyncio.sleep(_REFRESH)

    def _update(self, now: Mapping[str, int]) -> None:
        for name, bar in self._bars.items():
            self._progress.update(bar, completed=now[name], total=max(now[name], self._totals[name]))

    def _say(self, now: Mapping[str, int]) -> None:
        line = ", ".join(f"{name} {now[name]}/{max(now[name], total)}" for name, total in self._totals.items())
        if line != self._said:
            self._console.print(line, highlight=False, soft_wrap=True)
            self._said = line
