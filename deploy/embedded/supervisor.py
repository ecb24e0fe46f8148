"""Processes that start and end together: in stages, in reverse order, and on the failure of any."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import signal
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Self, TypeVar

from deploy.embedded.process import ChildProcess, Program
from deploy.embedded.reaper import Reaper

_WATCH_SECONDS = 0.2

Result = TypeVar("Result")


class Supervisor:
    """Runs programs. A subclass launches them in `start`, stage by stage.

    A run has a new folder under `root`, with `logs/<name>.log` per program, and with `data/` until it stops. A run that
    `keeps` its data has `root` itself as its folder.
    """

    def __init__(self, root: Path, *, keeps: bool = False) -> None:
        run = f"{datetime.now(tz=UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
        self.folder = root.resolve() if keeps else root.resolve() / run
        self._keeps = keeps
        self.logs = self.folder / "logs"
        self.data = self.folder / "data"
        self._stages: list[list[ChildProcess]] = []
        self._reaper = Reaper()

    async def start(self) -> None:
        """Launch the programs."""

    async def launch(self, *programs: Program) -> None:
        """Start the programs of the next stage at once, and wait until all are ready.

        Raises:
            ProcessFailed: a program ended, or was not ready in time. The rest is left for `stop`.
        """
        await _all_ready(self.begin(*programs))

    async def ready(self, but: Collection[str] = ()) -> None:
        """Wait until all started programs are ready, except those named in `but`. Raises like `launch`."""
        await _all_ready(process for process in self._processes() if process.program.name not in but)

    def begin(self, *programs: Program) -> list[ChildProcess]:
        """Start the programs of the next stage without waiting; see `ready`.

        Raises:
            ProcessFailed: a command does not exist.
        """
        self.logs.mkdir(parents=True, exist_ok=True)
        stage = [ChildProcess(program, self.logs / f"{program.name}.log", self._reaper) for program in programs]
        self._stages.append(stage)
        for process in stage:
            process.start()
        return stage

    async def wait(self) -> None:
        """Watch the processes until cancelled.

        Raises:
            ProcessFailed: a process ended by itself.
        """
        while True:
            for process in self._processes():
                process.check()
            await asyncio.sleep(_WATCH_SECONDS)

    async def unless_crashed(self, work: Awaitable[Result]) -> Result:
        """Return the result of the work. Raises `ProcessFailed` if a process ends by itself meanwhile."""
        watching = asyncio.ensure_future(self.wait())
        working = asyncio.ensure_future(work)
        try:
            await asyncio.wait({watching, working}, return_when=asyncio.FIRST_COMPLETED)
            if watching.done():
                watching.result()
            return working.result()
        finally:
            for task in (working, watching):
                task.cancel()
            await asyncio.gather(working, watching, return_exceptions=True)

    async def stop(self) -> None:
        """Stop all processes, last stage first. No process survives, even if this call fails.

        The data is deleted unless it is kept: then servers get the time to write it.
        """
        try:
            for stage in reversed(self._stages):
                tidy = (process for process in stage if self._keeps or not process.program.is_disposable)
                await asyncio.gather(*(process.stop() for process in tidy))
        finally:
            for process in self._processes():
                process.kill()
            self._stages.clear()
            self._reaper.close()
            if not self._keeps:
                shutil.rmtree(self.data, ignore_errors=True)

    async def kill(self, name: str) -> None:
        """Kill a process (SIGKILL) on purpose: `wait` does not raise for it."""
        self._named(name).kill()

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send a process a signal that does not end it, such as SIGSTOP."""
        self._named(name).signal(number)

    def pid(self, name: str) -> int:
        """Return the id of a running process. Raises `ProcessFailed`."""
        return self._named(name).pid

    async def restart(self, name: str) -> None:
        """Stop a process if it runs, start it again, and wait until it is ready."""
        process = self._named(name)
        await process.stop()
        process.start()
        await process.ready()

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def _processes(self) -> list[ChildProcess]:
        return [process for stage in self._stages for process in stage]

    def _named(self, name: str) -> ChildProcess:
        return next(process for process in self._processes() if process.program.name == name)


async def _all_ready(processes: Iterable[ChildProcess]) -> None:
    try:
        async with asyncio.TaskGroup() as group:
            for process in processes:
                group.create_task(process.ready())
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None  # the group cancelled the rest because of it


async def run(supervisor: Supervisor, announce: Callable[[], None]) -> None:
    """Start a supervisor, call `announce` once it is ready, and run until Ctrl-C or SIGTERM; then stop.

    Raises:
        ProcessFailed: a process did not start, or crashed. All are stopped.
    """
    with _cancelled_by(signal.SIGINT, signal.SIGTERM), suppress(asyncio.CancelledError):
        async with supervisor:
            announce()
            await supervisor.wait()


@contextmanager
def _cancelled_by(*signals: signal.Signals) -> Iterator[None]:
    """Cancel the current task by signals: the first starts an orderly stop, the second ends its grace period."""
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    if task is None:
        raise RuntimeError("there is no current task to cancel: call this from a coroutine")
    for number in signals:
        loop.add_signal_handler(number, task.cancel)
    try:
        yield
    finally:
        for number in signals:
            loop.remove_signal_handler(number)
