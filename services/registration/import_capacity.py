"""Imports in progress: an operator has a single import, and the process a bounded number."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Literal

from shared.runtime.courtesy import Courtesy
from shared.runtime.fair_turns import FairTurns

#: The longest wait for the imports of other operators.
_WAIT_SECONDS = 60.0


class ImportRunning(Exception):
    """The operator has an import in progress already, or no place was free in time; the message says which."""


#: A list is read, then planned as a whole, then written.
ImportStep = Literal["reading", "planning", "writing"]


@dataclass
class ImportProgress:
    """The progress of an import: the list, its edition, and the share of the present step that is done."""

    edition_id: str = ""
    list: str = ""
    step: ImportStep = "reading"
    done: int = 0
    total: int = 0

    def begin(self, step: ImportStep, total: int) -> None:
        """Begin a step of so many parts."""
        self.step, self.done, self.total = step, 0, total

    @property
    def percent(self) -> int:
        """The whole percents of the step that are done."""
        return 100 * self.done // self.total if self.total else 0


class ImportCapacity:
    """Admits imports: `admitted` before the body is read, `turn` before the file is.

    `slices` shares the event loop between the imports that have a turn; by `courtesy` they step aside for requests.
    """

    def __init__(self, at_once: int = 4, wait_seconds: float = _WAIT_SECONDS) -> None:
        self.slices = FairTurns(1)
        self.courtesy = Courtesy()
        self._turns = FairTurns(at_once)
        self._wait_seconds = wait_seconds
        self._running: dict[str, ImportProgress] = {}

    @contextlib.contextmanager
    def admitted(self, operator_id: str) -> Iterator[ImportProgress]:
        """Hold the operator's only place until the block ends, and yield its progress. Raises `ImportRunning`."""
        if operator_id in self._running:
            raise ImportRunning("an import of yours is running: wait for its report, then send this file again")
        self._running[operator_id] = progress = ImportProgress()
        try:
            yield progress
        finally:
            del self._running[operator_id]

    def running(self, operator_id: str, edition_id: str) -> ImportProgress | None:
        """Return the progress of the operator's import into an edition; None if this process runs none."""
        progress = self._running.get(operator_id)
        return progress if progress and progress.edition_id == edition_id else None

    @contextlib.asynccontextmanager
    async def turn(self, operator_id: str) -> AsyncIterator[None]:
        """Wait until few enough files are in memory, and hold a place there until the block ends.

        Raises:
            ImportRunning: no place was free in time.
        """
        async with contextlib.AsyncExitStack() as stack:
            try:
                await stack.enter_async_context(self._turns.turn(operator_id, within=self._wait_seconds))
            except TimeoutError:
                raise ImportRunning("imports of other operators are running: send this file again later") from None
            yield
