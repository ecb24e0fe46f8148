"""Protocols of the drivers that the use cases of the scheduler need: the journal and the solver."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from services.scheduler.aggregate import Decide
from services.scheduler.domain.changes import Change
from services.scheduler.domain.improvement.problem import Solution, SolverProblem
from services.scheduler.domain.state import AgendaState
from services.scheduler.solver.effort import Effort
from shared.contract.events import Event
from shared.messaging.inputs import Input
from shared.storage.aggregate import Decision


class Editions(Protocol):
    """The journal of editions: see `shared.storage.journal.Journal`."""

    async def decide(self, edition_id: str, inputs: Sequence[Input]) -> Decision[Change, Event]:
        """Decide on a batch of inputs, write the changes, and send the events."""
        ...

    async def transact(self, edition_id: str, decide: Decide) -> Decision[Change, Event]:
        """Take another decision in the same way."""
        ...

    async def read(self, edition_id: str) -> AgendaState:
        """Return the state as this process knows it. The caller does not change it."""
        ...

    async def current(self, edition_id: str) -> AgendaState:
        """Return the state with the entries of all processes. The caller does not change it."""
        ...

    async def fresh(self, edition_id: str) -> AgendaState:
        """Return a copy of the stored state that belongs to the caller."""
        ...

    async def editions(self) -> list[str]:
        """List the ids of all editions."""
        ...


class Solver(Protocol):
    """A pool of workers that improve agendas: see `services.scheduler.solver.pool.SolverPool`."""

    def turn(self, operator_id: str, within: float) -> AbstractAsyncContextManager[None]:
        """Wait for the operator's turn at a free worker. Raises `SolverBusy` if none comes `within` so many seconds."""
        ...

    async def solve(self, problem: SolverProblem, effort: Effort, within: float) -> Solution:
        """Return the best solution found `within` so many seconds. Raises `SolverFailed`."""
        ...
