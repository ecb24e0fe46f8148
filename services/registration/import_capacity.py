"""Imports in progress: an operator has a single import, and the process a bounded number."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from shared.runtime.fair_turns import FairTurns


class ImportRunning(Exception):
    """The operator has an import in progress already."""


class ImportCapacity:
    """Admits imports. `running` bounds the files in memory; `slices` shares the event loop between the imports."""

    def __init__(self, at_once: int = 4) -> None:
        self.running = FairTurns(at_once)
        self.slices = FairTurns(1)
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
