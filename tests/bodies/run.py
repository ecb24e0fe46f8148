"""Random requests to the running product, a drain, and then the checks: see `python -m tests.bodies --help`."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import httpx

from deploy.embedded.stack import Stack
from services import SERVICES
from services.registration.operators import add_operator
from services.registration.settings import Settings
from tests.bodies.visitor import visit

MOST_BYTES = 2**30
#: The operator of the run may call as often as it likes.
SETTINGS = {
    "TERTULIA_OPERATOR_REQUESTS_PER_SECOND": "10000",
    "TERTULIA_OPERATOR_REQUEST_BURST": "10000",
    "TERTULIA_OPERATOR_DEAR_PER_MINUTE": "10000",
    "TERTULIA_OPERATOR_DEAR_BURST": "10000",
    "TERTULIA_OPERATOR_EDITIONS": "100000",
}
_CONSUMERS = ("matching", "scheduler", "notify")
_STILL_SECONDS, _DRAIN_SECONDS = 8.0, 600.0
_HANDLED = re.compile(r'^tertulia_records_total\{.*outcome="(\w+)".*\} (\S+)$', re.MULTILINE)
_HALTED = re.compile(r"^tertulia_dead_letter_stop 1", re.MULTILINE)


@dataclass
class Outcome:
    """The answers of registration by status, the peak memory of each service in bytes, and the faults found."""

    statuses: dict[int, int]
    peak_bytes: dict[str, int]
    faults: list[str]


async def run(root: Path, cases: int, seed: int) -> Outcome:
    """Start the product, send the requests, wait until all is handled, and check."""
    async with Stack(root, settings=SETTINGS) as stack:
        key = await add_operator(Settings(mongo_url=stack.addresses["mongo"]), "bodies", "Random bodies")
        statuses, defects = await stack.unless_crashed(_visit(stack.addresses["registration"], key, cases, seed))
        async with httpx.AsyncClient() as client:
            faults = [*defects, *await stack.unless_crashed(_drain(client, stack))]
            peaks = {service: _peak_bytes(stack.pid(service)) for service in SERVICES}
            faults += [f"{name} took {peak >> 20} MiB" for name, peak in peaks.items() if peak > MOST_BYTES]
            faults += [fault async for fault in _unready(client, stack)]
        return Outcome(statuses, peaks, faults)


async def _visit(address: str, api_key: str, cases: int, seed: int) -> tuple[dict[int, int], list[str]]:
    """Visit from a process of its own.

    Drawing parses lambdas, and CPython 3.11 fails if another thread parses meanwhile, as a traceback in a log does:
    https://github.com/python/cpython/issues/106905.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return await asyncio.get_running_loop().run_in_executor(pool, visit, address, api_key, cases, seed)


async def _drain(client: httpx.AsyncClient, stack: Stack) -> list[str]:
    """Wait until no consumer handles anything for some seconds; return dead letters and halts as faults."""
    still, before = 0.0, -1.0
    for _ in range(int(_DRAIN_SECONDS)):
        pages = [(await client.get(f"{stack.addresses[name]}/metrics")).text for name in _CONSUMERS]
        handled = sum(float(count) for page in pages for _, count in _HANDLED.findall(page))
        still = still + 1 if handled == before else 0
        if still >= _STILL_SECONDS:
            return list(_dead_letters(pages))
        before = handled
        await asyncio.sleep(1)
    return [f"not drained after {_DRAIN_SECONDS:.0f} s"]


def _dead_letters(pages: Sequence[str]) -> Iterator[str]:
    for name, page in zip(_CONSUMERS, pages, strict=True):
        dead = sum(float(count) for outcome, count in _HANDLED.findall(page) if outcome == "dead_lettered")
        if dead:
            yield f"{name} made {dead:.0f} dead letters"
        if _HALTED.search(page):
            yield f"{name} has halted"


async def _unready(client: httpx.AsyncClient, stack: Stack) -> AsyncIterator[str]:
    for name in SERVICES:
        answer = await client.get(f"{stack.addresses[name]}/readyz")
        if answer.status_code != httpx.codes.OK:
            yield f"{name} is not ready: {answer.text}"


def _peak_bytes(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    found = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
    assert found, f"process {pid} does not tell its memory"
    return int(found[1]) << 10
