"""Imported files are read by a process of their own, within limits of memory and time."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Mapping

from services.registration.import_files.found_table import FoundTable
from services.registration.import_files.reader import END, FOUND, REFUSED, SLICE, WHOLE, ReadTask
from services.registration.import_files.sheet import MOST_TEXT_BYTES, Sheet, UnreadableFile
from services.registration.settings import Settings
from shared.runtime.log import get_logger

_log = get_logger(__name__)

#: Longest line of the reader's output: a row of the longest cells, each character escaped.
_LONGEST_LINE = 8 * 1024 * 1024
_START_SECONDS = 10


async def read_file(
    raw: bytes,
    kind: str,
    settings: Settings,
    *,
    mapping: Mapping[str, str] | None = None,
    sheet: str = "",
    marks: tuple[str, ...] = (),
    hidden: bool = False,
    whole: bool = False,
) -> Sheet:
    """Read a file in a process, which is gone when the file is read, refused or given up.

    `kind` names the vocabulary of the list, `mapping` further headings, `sheet` the sheet of a workbook.
    `marks` are
    headings of columns with marks. With `hidden` its hidden rows are read too.
    With `whole` the rows are kept with all their cells.

    Raises:
        UnreadableFile: no list, no such headings, or beyond a bound of size, memory or time.
    """
    task = ReadTask(
        kind=kind,
        mapping=mapping or {},
        sheet=sheet,
        marks=marks,
        hidden=hidden,
        whole=whole,
        rows=settings.max_import_rows,
        unpacked_bytes=settings.max_unpacked_bytes,
        memory_bytes=settings.import_memory_bytes,
        seconds=settings.import_read_seconds,
        parent=os.getpid(),
    )
    async with _process(task) as process:
        try:
            # The process ends by its own clock; further seconds cover its start.
            async with asyncio.timeout(task.longest_seconds + _START_SECONDS):
                _, read = await asyncio.gather(_send(process, raw), _receive(process))
                if read is not None:
                    return read
                _log.warning("file_reader_failed", exit_code=await process.wait())
        except TimeoutError:
            _log.warning("file_reader_failed", exit_code=None)
    raise UnreadableFile(
        f"takes more than {task.seconds} s or {task.memory_bytes} bytes of memory to read:"
        " copy the list into a new file, or split it"
    )


@contextlib.asynccontextmanager
async def _process(task: ReadTask) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "services.registration.import_files.reader", task.packed()),
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,
        limit=_LONGEST_LINE,
        # Nothing else of the environment: it holds secrets.
        env={"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def _send(process: Process, raw: bytes) -> None:
    assert process.stdin is not None  # noqa: S101 - it is a pipe
    with contextlib.suppress(ConnectionError):  # the process has refused the file, and says why
        process.stdin.write(raw)
        await process.stdin.drain()
    process.stdin.close()


async def _receive(process: Process) -> Sheet | None:
    """Return the list of the file; None if the process ends without a verdict.

    Raises:
        UnreadableFile: the process refused the file.
    """
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    packed: list[bytes] = []
    whole: list[bytes] = []
    found = FoundTable()
    left = 2 * MOST_TEXT_BYTES
    while line := await process.stdout.readline():
        kind, content = line[:1], line[1:].rstrip(b"\n")
        left -= len(content)
        if kind == REFUSED:
            raise UnreadableFile(content.decode())
        if kind == END:
            return Sheet(tuple(packed), found, tuple(whole))
        if kind == FOUND:
            found = FoundTable.unpacked(content)
            continue
        if kind not in (SLICE, WHOLE) or left < 0:
            return None
        (packed if kind == SLICE else whole).append(content)
    return None
