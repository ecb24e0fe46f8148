"""A thousand published editions of ITECAM's size in a single scheduler: memory, and times of changes and loads.

The scheduler is the service's own, with its journal on SecantusDB. Its events are encoded, but not sent. Changes come
in sequence, for editions drawn uniformly or by Zipf's law. `late` is the delay of a task that wakes every 5 ms.
Database, scheduler and solver processes share the machine's cores. `--editions 50` makes fewer editions.
"""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import tempfile
import time
from collections import ChainMap
from collections.abc import Callable, Coroutine
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from pathlib import Path

from bench.editions.measured import loop_delay
from bench.editions.subject import Ahead, ManyEditions, Row, spread
from bench.editions.templates import PER_PART, TEMPLATES, make_journals
from bench.instances.renamed import edition_of
from deploy.embedded import programs
from deploy.embedded.probes import free_ports
from deploy.embedded.supervisor import Supervisor

_FEW_IN_MEMORY = 100


def run(data: Path | None, editions: str = "1000") -> list[Row]:  # noqa: ARG001 - every benchmark is offered the data
    """Return the rows: making of the editions, memory, and streams of changes with all or few editions in memory."""
    return asyncio.run(_on_a_database(int(editions)))


async def _on_a_database(count: int) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        async with _Database(Path(folder)) as database:
            return await database.unless_crashed(asyncio.to_thread(_rows, database.url, count))


class _Database(Supervisor):
    """SecantusDB in a temporary folder."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        [self._port] = free_ports(1)
        self.url = programs.secantus_url(self._port)

    async def start(self) -> None:
        await self.launch(programs.secantus(self._port, self.data / "mongo"))


def _rows(url: str, count: int) -> list[Row]:
    spawn, started = multiprocessing.get_context("spawn"), time.perf_counter()
    numbers_by_template = [range(first, count, TEMPLATES) for first in range(min(count, TEMPLATES))]
    with ProcessPoolExecutor(2, spawn) as pool:
        made = dict(ChainMap(*pool.map(make_journals, numbers_by_template, repeat(url))))
    ahead = {edition_of(number): made[edition_of(number)] for number in range(count)}
    rows: list[Row] = [{"measure": "make them", "editions": count, "seconds": round(time.perf_counter() - started)}]
    for part in (_all_in_memory, _few_in_memory):
        with ProcessPoolExecutor(1, spawn) as pool:  # a process of its own, so that its memory is measured alone
            rows += pool.submit(_in_a_loop, part, url, ahead).result()
    return rows


def _in_a_loop(part: Callable[[str, Ahead], Coroutine[None, None, list[Row]]], url: str, ahead: Ahead) -> list[Row]:
    gc.set_threshold(20_000, 20, 20)  # as `shared.app.serve` has it
    gc.freeze()  # the changes to come are no part of the service
    return asyncio.run(part(url, ahead))


async def _all_in_memory(url: str, ahead: Ahead) -> list[Row]:
    records = {edition_id: records[:PER_PART] for edition_id, records in ahead.items()}
    async with ManyEditions.on(url, records, in_memory=len(ahead)) as subject:
        async with loop_delay() as late:
            for edition_id in ahead:
                await subject.load(edition_id)
        loads = {**spread("load", subject.loads), **spread("late", late)}
        rows: list[Row] = [{**subject.memory("all loaded"), **loads}]
        rows.append(await subject.stream("changes, all in memory"))
        rows += [await subject.stream(f"  while {workers} improve", workers=workers) for workers in (1, 2)]
        return [*rows, subject.memory("all, after that")]


async def _few_in_memory(url: str, ahead: Ahead) -> list[Row]:
    rows: list[Row] = []
    for law, exponent, first, end in (("uniform", 0.0, PER_PART, 2 * PER_PART), ("Zipf", 1.0, 2 * PER_PART, None)):
        records = {edition_id: records[first:end] for edition_id, records in ahead.items()}
        async with ManyEditions.on(url, records, in_memory=_FEW_IN_MEMORY) as subject:
            rows.append(await subject.stream(f"changes, {_FEW_IN_MEMORY} in memory, {law}", exponent))
            rows.append({**subject.memory("  in memory then"), **spread("load", subject.loads)})
    return rows
