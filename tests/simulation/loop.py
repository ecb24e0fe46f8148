"""An event loop with virtual time, which jumps to the next task: minutes pass in milliseconds, always in one order."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import structlog

Result = TypeVar("Result")


class NothingToDo(Exception):
    """All tasks wait and no timer is due: the run would hang for ever."""


class VirtualLoop(asyncio.BaseEventLoop):
    """Runs the tasks that are ready, then jumps to the time of the next task.

    It knows no sockets. Work for a thread runs on the loop itself, in the order of its other tasks.
    """

    def __init__(self) -> None:
        super().__init__()
        self._time = 0.0
        self._selector = _Jump(self._pass)

    def time(self) -> float:
        """Seconds since the beginning."""
        return self._time

    def run_in_executor(  # type: ignore[override] # there is no executor
        self, _: object, func: Callable[..., Result], *args: Any
    ) -> asyncio.Future[Result]:
        """Run a function for a thread at the loop's next turn: real threads would not repeat their order."""
        future: asyncio.Future[Result] = self.create_future()
        self.call_soon(self._run_into, future, func, args)
        return future

    @staticmethod
    def _run_into(future: asyncio.Future[Result], func: Callable[..., Result], args: tuple[Any, ...]) -> None:
        if future.cancelled():
            return
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - it is the caller's, as from a thread
            future.set_exception(error)

    def _pass(self, seconds: float) -> None:
        self._time += seconds

    def _process_events(self, _: object) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        if threading.get_ident() != self._thread_id:  # type: ignore[attr-defined] # of BaseEventLoop
            raise AssertionError("a thread calls in")


class _Jump:
    """In the place of a selector: instead of waiting, says that the time has passed."""

    def __init__(self, pass_: Callable[[float], None]) -> None:
        self._pass = pass_

    def select(self, timeout: float | None) -> tuple[()]:
        if timeout is None:
            raise NothingToDo
        self._pass(timeout)
        return ()


def run_virtually(main: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
    """Run a coroutine to its end on a loop of its own; what else still runs then is cancelled."""
    loop = VirtualLoop()
    asyncio.set_event_loop(loop)
    try:
        return loop.run_until_complete(main())
    finally:
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
        asyncio.set_event_loop(None)
        loop.close()


@contextmanager
def quietly(seed: int) -> Iterator[None]:
    """Seed the global random numbers, from which services draw their pauses, and silence the logs; restore both."""
    before, logging = random.getstate(), structlog.get_config()
    random.seed(seed)
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(50), logger_factory=structlog.ReturnLoggerFactory()
    )
    try:
        yield
    finally:
        structlog.configure(**logging)
        random.setstate(before)
