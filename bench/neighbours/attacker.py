"""The client of the abusing operator, in a process of its own: its load is not the load of the measuring process.

`python -m bench.neighbours.attacker ADDRESS KEY ABUSE LOAD` prepares the abuse, prints `ready`, strikes after a line on
its standard input, stops after another line, and prints the number of answers by status. It runs at the lowest
priority: an abuser's client has a machine of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path

from bench import BenchmarkError
from bench.neighbours.abuses import ABUSES, Abuse
from bench.neighbours.operator_api import OperatorApi
from bench.neighbours.size import Load

_LOWEST_PRIORITY = 19
_PREPARE_SECONDS = 600.0
_END_SECONDS = 60.0


class Attack:
    """An attack that is prepared. `strike` starts it, `stop` ends it and returns the answers by status."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def strike(self) -> None:
        self._write_line()

    async def stop(self) -> dict[str, int]:
        self._write_line()
        answers: dict[str, int] = json.loads(await _line(self._process, _END_SECONDS) or "{}")
        return answers

    def _write_line(self) -> None:
        assert self._process.stdin  # noqa: S101 - a pipe, by the arguments in `prepared`
        self._process.stdin.write(b"\n")


@contextlib.asynccontextmanager
async def prepared(address: str, key: str, abuse: str, load: Load, log: Path) -> AsyncIterator[Attack]:
    """Prepare an abuse in a new process, and end the process afterwards. Its errors are written to the log."""
    command = (sys.executable, "-m", "bench.neighbours.attacker", address, key, abuse, json.dumps(asdict(load)))
    pipe = asyncio.subprocess.PIPE
    with log.open("ab") as errors:
        process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=errors)
    try:
        if await _line(process, _PREPARE_SECONDS) != "ready":
            raise BenchmarkError(f"the abuse {abuse} could not be prepared; its log is {log}")
        yield Attack(process)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _line(process: asyncio.subprocess.Process, seconds: float) -> str:
    assert process.stdout  # noqa: S101 - a pipe, by the arguments in `prepared`
    with contextlib.suppress(TimeoutError):
        return (await asyncio.wait_for(process.stdout.readline(), seconds)).decode().strip()
    return ""


async def _serve(address: str, key: str, name: str, load: Load) -> None:
    async with OperatorApi(address, key) as api:
        abuse = ABUSES[name](api, load)
        await abuse.prepare()
        print("ready", flush=True)
        await _next_line()
        answers: Counter[str] = Counter()
        striking = [asyncio.create_task(_strike(abuse, answers)) for _ in range(abuse.workers)]
        await _next_line()
        for task in striking:
            task.cancel()
        await asyncio.gather(*striking, return_exceptions=True)
        await abuse.end()
        print(json.dumps(answers), flush=True)


async def _strike(abuse: Abuse, answers: Counter[str]) -> None:
    left = abuse.most_strikes
    while left is None or left > 0:
        answers[str(await abuse.strike())] += 1
        left = None if left is None else left - 1


async def _next_line() -> None:
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)


if __name__ == "__main__":
    os.nice(_LOWEST_PRIORITY)
    asyncio.run(_serve(sys.argv[1], sys.argv[2], sys.argv[3], Load(**json.loads(sys.argv[4]))))
