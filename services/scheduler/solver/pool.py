"""A pool of worker processes that improve agendas by a deadline.

A worker that hangs is killed, and a worker that dies is replaced. A worker reports better agendas on its way: if the
deadline ends it, its best agenda so far is taken.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import multiprocessing
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from multiprocessing.connection import Connection
from typing import Any

from services.scheduler.domain.improvement.problem import Solution, SolverProblem
from services.scheduler.solver.effort import Effort
from shared.runtime.fair_turns import FairTurns

_SPAWN = multiprocessing.get_context("spawn")

#: The longest start of a worker. The first worker on a machine compiles the search (see `solver.words.compiled`);
#: later workers load it.
_START_SECONDS = 300.0
#: The niceness of workers: the services of the machine answer requests first.
_NICENESS = 10

Report = Callable[[Solution], None]
Work = Callable[[SolverProblem, Effort, Report], Solution]


class SolverFailed(Exception):
    """The worker returned no solution: it hung, died, or raised an exception."""


class SolverBusy(Exception):
    """No worker was free in time."""


def _improve(problem: SolverProblem, effort: Effort, report: Report) -> Solution:
    # Imported in the worker alone: OR-Tools and numba would add seconds and 150 MB to the start of the service.
    from services.scheduler.solver.improve import improve  # noqa: PLC0415

    return improve(problem, effort, report)


def _warm_up() -> None:
    from services.scheduler.solver.polish import warm_up  # noqa: PLC0415

    warm_up()


class _Started:
    """Message of a worker: it is ready for problems."""


class _Done:
    """Message of a worker: the newest solution sent is the final solution."""


class SolverPool:
    """`size` worker processes, started on demand. Solving never blocks the event loop."""

    def __init__(self, size: int, deadline_seconds: float, work: Work = _improve) -> None:
        self._deadline = deadline_seconds
        self._work = work
        self._idle: list[_Worker] = []
        self._turns = FairTurns(size)

    @contextlib.asynccontextmanager
    async def turn(self, operator_id: str, within: float = math.inf) -> AsyncIterator[None]:
        """Wait until a worker is free to `solve`. The caller builds its problem only then, from the newest state.

        The operator with the least time of workers is first, then the caller with the nearest deadline.

        Raises:
            SolverBusy: no worker was free within so many seconds.
        """
        async with contextlib.AsyncExitStack() as held:
            try:
                await held.enter_async_context(self._turns.turn(operator_id, within=within))
            except TimeoutError as error:
                raise SolverBusy(f"no worker was free within {within:.1f} s") from error
            yield

    async def solve(self, problem: SolverProblem, effort: Effort, within: float = math.inf) -> Solution:
        """Improve in a worker until it is done, or the pool's deadline or `within` seconds are over.

        The caller must hold a `turn`.

        Raises:
            SolverFailed: there is no solution. The worker is not used again.
        """
        worker = self._idle.pop() if self._idle else _Worker(self._work)
        try:
            solution = await worker.solve(problem, effort, min(self._deadline, within))
        except BaseException:
            worker.kill()
            raise
        if worker.is_idle:
            self._idle.append(worker)
        else:
            worker.kill()
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
        #: Whether the worker has finished its last problem and waits for the next.
        self.is_idle = False

    async def solve(self, problem: SolverProblem, effort: Effort, deadline: float) -> Solution:
        answer = await asyncio.to_thread(self._exchange, (problem, effort), deadline)
        if isinstance(answer, Solution):
            return answer
        raise SolverFailed(str(answer))

    def kill(self) -> None:
        """End the process at once."""
        if self._process.pid is not None:
            self._process.kill()

    def _exchange(self, task: tuple[SolverProblem, Effort], deadline: float) -> Any:  # noqa: ANN401 - what a pipe carries
        best: Any = None
        try:
            if self._process.pid is None:
                self._start()
            self.is_idle = False
            self._pipe.send(task)
            end = time.monotonic() + deadline
            while self._pipe.poll(max(0.0, end - time.monotonic())):
                answer = self._pipe.recv()
                if not isinstance(answer, Solution):
                    self.is_idle = isinstance(answer, _Done)
                    return best if self.is_idle else answer
                best = answer
        except (EOFError, OSError) as error:
            return best or f"the worker died: {error!r}"
        return best or f"no answer within {deadline} s"

    def _start(self) -> None:
        self._process.start()
        self._theirs.close()
        if not self._pipe.poll(_START_SECONDS):
            raise OSError(f"not started within {_START_SECONDS} s")
        self._pipe.recv()


def _serve(pipe: Connection, work: Work) -> None:
    """Answer problems until the other end of the pipe is gone. Ctrl-C is left to the parent process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(_NICENESS)
    with contextlib.suppress(EOFError, OSError):
        if work is _improve:
            _warm_up()
        pipe.send(_Started())
        while True:
            problem, effort = pipe.recv()
            try:
                pipe.send(work(problem, effort, pipe.send))
                answer: Any = _Done()
            except Exception as error:  # noqa: BLE001 - the parent reports any error and goes on
                answer = repr(error)
            pipe.send(answer)
