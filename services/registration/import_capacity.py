"""Imports in progress: an operator has a single import, and the process a bounded number."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator

from shared.runtime.courtesy import Courtesy
from shared.runtime.fair_turns import FairTurns

#: The longest wait for the imports of other operators.
_WAIT_SECONDS = 60.0


class ImportRunning(Exception):
    """The operator has an import in progress already, or no place was free in time; the message says which."""


class ImportCapacity:
    """Admits imports: `admitted` before the body is read, `turn` before the file is.

    `slices` shares the event loop between the imports that have a turn; by `courtesy` they step aside for requests.
    """

    def __init__(self, at_once: int = 4, wait_seconds: float = _WAIT_SECONDS) -> None:
        self.slices = FairTurns(1)
        self.courtesy = Courtesy()
        self._turns = FairTurns(at_once)
        self._wait_seconds = wait_seconds
        self._operators: set[str] = set()

    @contextlib.contextmanager
    def admitted(self, operator_id: str) -> Iterator[None]:
        """Hold the operator's only place until the block ends. Raises `ImportRunning`."""
        if operator_id in self._operators:
            raise ImportRunning("an import of yours is running: wait for its report, then send this file again")
        self._operators.add(operator_id)
        try:
            yield
        finally:
            self._operators.discard(operator_id)

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
