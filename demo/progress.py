"""The demo's live progress: bars on a terminal, plain lines elsewhere."""

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

#: Seconds between updates of the bars, and at least between plain lines.
_REFRESH, _PLAIN_EVERY = 0.2, 2.0


def counts(seen: Observed) -> dict[str, int]:
    """Return the five progress figures of the demo."""
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
        self._last_line = ""
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
        printed_at = time.monotonic()
        while True:
            now = counts(self._seen)
            self._update(now)
            if not self._console.is_terminal and time.monotonic() - printed_at >= _PLAIN_EVERY:
                self._print_line(now)
                printed_at = time.monotonic()
            await asyncio.sleep(_REFRESH)

    def _update(self, now: Mapping[str, int]) -> None:
        for name, bar in self._bars.items():
            self._progress.update(bar, completed=now[name], total=max(now[name], self._totals[name]))

    def _print_line(self, now: Mapping[str, int]) -> None:
        line = ", ".join(f"{name} {now[name]}/{max(now[name], total)}" for name, total in self._totals.items())
        if line != self._last_line:
            self._console.print(line, highlight=False, soft_wrap=True)
            self._last_line = line
