"""Improve in processes of their own: with a deadline, killed when they hang, replaced when they die."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from services.scheduler.domain.problem import Problem, Solution
from services.scheduler.solver.effort import Effort

_SPAWN = multiprocessing.get_context("spawn")

Work = Callable[[Problem, Effort], Solution]


class SolverFailed(Exception):
    """The worker did not come back with a solution: it hung, died, or raised."""


def _improve(problem: Problem, effort: Effort) -> Solution:
    # Imported in the worker alone: OR-Tools would add a second and 60 MB to the start of the service.
    from services.scheduler.solver.improve import improve  # noqa: PLC0415

    return improve(problem, effort)


class SolverPool:
    """`size` worker processes, started when first needed. Nothing of a solve runs on the event loop."""

    def __init__(self, size: int, deadline_seconds: float, work: Work = _improve) -> None:
        self._deadline = deadline_seconds
        self._work = work
        self._idle: list[_Worker] = []
        self._turns = asyncio.Semaphore(size)

    async def solve(self, problem: Problem, effort: Effort) -> Solution:
        """Improve in a worker.

        Raises:
            SolverFailed: there is no solution; the worker has been replaced if it was to blame.
        """
        async with self._turns:
            worker = self._idle.pop() if self._idle else _Worker(self._work)
            try:
                solution = await worker.solve(problem, effort, self._deadline)
            except BaseException:
                worker.kill()
                raise
            self._idle.append(worker)
            return solution

    async def stop(self) -> None:
        """End the idle workers."""
        while self._idle:
            self._idle.pop().kill()


class _Worker:
    def __init__(self, work: Work) -> None:
        self._pipe, theirs = _SPAWN.Pipe()
        self._process = _SPAWN.Process(target=_serve, args=(theirs, work), daemon=True)
        self._theirs = theirs

    async def solve(self, problem: Problem, effort: Effort, deadline: float) -> Solution:
        answer = await asyncio.to_thread(self._ask, (problem, effort), deadline)
        if isinstance(answer, Solution):
            return answer
        raise SolverFailed(str(answer))

    def kill(self) -> None:
        """End the process at once, whatever it does."""
        if self._process.pid is not None:
            self._process.kill()

    def _ask(self, question: tuple[Problem, Effort], deadline: float) -> Any:  # noqa: ANN401 - what a pipe carries
        try:
            if self._process.pid is None:
                self._process.start()
                self._theirs.close()
            self._pipe.send(question)
            if not self._pipe.poll(deadline):
                return f"no answer within {deadline} s"
            return self._pipe.recv()
        except (EOFError, OSError) as error:
            return f"the worker died: {error!r}"


def _serve(pipe: Connection, work: Work) -> None:
    """A worker's life: answer questions until the other end is gone. Ctrl-C is for the parent to handle."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(EOFError, OSError):
        while True:
            problem, effort = pipe.recv()
            try:
                answer: Any = work(problem, effort)
            except Exception as error:  # noqa: BLE001 - whatever it is, the parent is told and goes on
                answer = repr(error)
            pipe.send(answer)
