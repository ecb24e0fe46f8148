"""The process that reads a file: its verdicts, its limits, and its end."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from asyncio.subprocess import Process
from pathlib import Path
from typing import Any

import pytest

from services.registration.import_files import process as module
from services.registration.import_files.found_table import FoundColumn, FoundTable
from services.registration.import_files.process import read_file
from services.registration.import_files.reader import ReadTask
from services.registration.import_files.sheet import Sheet, SheetRow, UnreadableFile
from services.registration.settings import Settings
from tests.support.waiting import wait_until
from tests.support.workbooks import SHARED, SHEET, by_hand, repeated, saved, shared

GOOD = b"name,kind,country\nA,sme,ES\n"


class Started:
    """Notes the processes that are started, and their arguments."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.processes: list[Process] = []
        self.environments: list[dict[str, str]] = []
        self._start = asyncio.create_subprocess_exec
        monkeypatch.setattr(asyncio, "create_subprocess_exec", self.start)

    async def start(self, *command: str, **options: Any) -> Process:
        process = await self._start(*command, **options)
        self.processes.append(process)
        self.environments.append(options["env"])
        return process

    def all_ended(self) -> bool:
        return bool(self.processes) and all(process.returncode is not None for process in self.processes)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Started:
    return Started(monkeypatch)


async def read(raw: bytes, **settings: int) -> Sheet:
    return await read_file(raw, "organisations", Settings(**settings))  # type: ignore[arg-type]


@pytest.mark.parametrize("is_workbook", [False, True])
async def test_the_rows_of_a_file_arrive(started: Started, *, is_workbook: bool) -> None:
    raw = saved(["name", "kind", "country"], ["A", "sme", "ES"]) if is_workbook else GOOD
    sheet = await read(raw)
    names = [FoundColumn(letter, name, name) for letter, name in zip("ABC", ("name", "kind", "country"), strict=True)]
    place = {"sheet": "Sheet"} if is_workbook else {"encoding": "utf-8", "delimiter": ","}
    assert sheet.found == FoundTable(1, tuple(names), **place)  # type: ignore[arg-type]
    assert list(sheet.slices()) == [[SheetRow(2, {"name": "A", "kind": "sme", "country": "ES"})]]
    assert started.all_ended()


async def test_the_reason_of_a_refusal_arrives_while_the_file_is_sent(started: Started) -> None:
    with pytest.raises(UnreadableFile, match="no row with the needed headings; missing: all"):
        await read(b"nonsense\n" + b"x\n" * 1_000_000)
    assert started.all_ended()


async def test_the_process_knows_nothing_of_the_environment(started: Started, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERTULIA_INTERNAL_TOKEN", "s3cret")
    await read(GOOD)
    assert [set(environment) for environment in started.environments] == [{"PYTHONPATH"}]


async def test_a_file_that_takes_too_long_is_given_up(started: Started) -> None:
    raw = by_hand({SHEET: repeated("", "<row><c/><c/></row>", 1_000_000, "")})
    with pytest.raises(UnreadableFile, match="takes more than 1 s"):
        await read(raw, import_read_seconds=1)
    assert started.all_ended()


async def test_a_file_that_takes_too_much_memory_is_given_up(started: Started) -> None:
    raw = by_hand({SHARED: shared(5_000, f"<si><t>{'a' * 12_000}</t></si>", 100)})
    with pytest.raises(UnreadableFile, match=r"more than \d+ bytes of memory"):
        await read(raw, import_memory_bytes=64 * 1024 * 1024)
    assert started.all_ended()


async def test_a_process_that_is_killed_refuses_its_file(started: Started) -> None:
    reading = asyncio.create_task(read(by_hand({SHEET: repeated("", "<row/>", 1_000_000, "")})))
    await wait_until(lambda: bool(started.processes))
    started.processes[0].kill()
    with pytest.raises(UnreadableFile, match="copy the list into a new file, or split it"):
        await reading


async def test_a_cancelled_read_leaves_no_process(started: Started) -> None:
    reading = asyncio.create_task(read(by_hand({SHEET: repeated("", "<row/>", 1_000_000, "")})))
    await wait_until(lambda: bool(started.processes))
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert started.all_ended()


async def test_more_output_than_a_file_can_hold_is_not_kept(started: Started, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_TEXT_BYTES", 10)
    with pytest.raises(UnreadableFile, match="split it"):
        await read(GOOD)
    assert started.all_ended()


def test_a_process_ends_with_its_parent(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(by_hand({SHEET: repeated("", "<row><c/><c/></row>", 1_000_000, "")}))
    another = os.getppid()
    task = ReadTask("organisations", 10_000, 64 << 20, 256 << 20, 100, another)
    command = (sys.executable, "-m", "services.registration.import_files.reader", task.packed())
    with file.open("rb") as source:
        ended = subprocess.run(command, stdin=source, capture_output=True, check=False)
    assert (ended.returncode, ended.stdout) == (1, b"")


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "old Excel workbook"),
        (b"%PDF-1.7", "a PDF"),
        (b'{"name": "A"}', "JSON"),
        (b"<html><table>", "HTML without a table"),
    ],
)
async def test_a_file_of_another_format_is_refused_with_the_remedy(raw: bytes, reason: str) -> None:
    with pytest.raises(UnreadableFile, match=reason):
        await read(raw)


async def test_a_mapping_and_a_sheet_reach_the_process() -> None:
    raw = b"wer,wo\nA,ES\n"
    sheet = await read_file(raw, "organisations", Settings(), mapping={"wer": "name", "B": "country"})
    assert list(sheet.slices()) == [[SheetRow(2, {"name": "A", "country": "ES"})]]
    with pytest.raises(UnreadableFile, match="no sheet is named 'list'; there are 'Sheet'"):
        await read_file(saved(["name"]), "organisations", Settings(), sheet="list")
