"""The feed of an edition under load: a process of notify's HTTP beside a paced client, with changes meanwhile.

350 people poll at 500 requests a second in all; nine in ten polls know the present ETag. A fact changes every second.
The server runs in a process of its own, with its stores in memory. Times are of the client, from the moment at which a
request was due. A bare ASGI answer of the same process, asked for at the same rate, is the second row.

- `--rate 500`, `--seconds 20`, `--people 350`: the load.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import resource
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from random import Random

import aiohttp
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import Receive, Scope, Send

from bench.churn.edition import EDITION, ChurnEdition
from bench.churn.post import NotifyInMemory
from bench.churn.readers import read_text
from bench.churn.receiver import Mailbox
from demo.summary import percentile
from deploy.embedded.probes import HOST, free_ports
from services.notify.api import public_routes
from services.notify.feed.memory_store import InMemoryFeeds
from services.notify.feed.service import CalendarFeed
from services.notify.rendering.addresses import PublicAddresses
from services.notify.rendering.mail import MailWriter
from services.notify.settings import Settings
from shared.runtime.http.server import run as serve

_UNKNOWING = 0.1
#: The link of a replaced person ends with 410.
_EXPECTED = {HTTPStatus.OK, HTTPStatus.NOT_MODIFIED, HTTPStatus.GONE}
_CHANGES_A_SECOND = 1.0


def run(
    data: Path | None,  # noqa: ARG001 - every benchmark is offered the data
    rate: str = "500",
    seconds: str = "20",
    people: str = "350",
) -> list[dict[str, object]]:
    """Return the row of the feeds and the row of a bare answer."""
    (port,) = free_ports(1)
    server = multiprocessing.get_context("spawn").Process(target=_serve, args=(port, int(people)), daemon=True)
    server.start()
    try:
        return asyncio.run(_load(f"http://{HOST}:{port}", float(rate), float(seconds)))
    finally:
        server.terminate()
        server.join()


def _serve(port: int, people: int) -> None:
    """Serve the feeds of an edition, with routes of the benchmark to read the addresses and to change the edition."""
    settings = Settings(
        http_port=port, public_url=f"http://{HOST}:{port}", link_secret=SecretStr("a secret for a benchmark, not kept")
    )
    notify = NotifyInMemory(datetime.now(UTC))
    edition = ChurnEdition(people, Random(2027), notify.now)
    addresses, writer = PublicAddresses(settings), MailWriter(settings, _now)
    feed = CalendarFeed(notify.journal, InMemoryFeeds(), writer.feed, writer.page, _now)

    async def begin(_: Request) -> Response:
        await notify.consume(EDITION, edition.publication())
        audience = await notify.journal.read(EDITION)
        return JSONResponse([addresses.feed(audience, f"prt_{number}") for number in range(people)])

    async def change(request: Request) -> Response:
        edition.now = _now()
        await notify.consume(EDITION, edition.change(int(request.path_params["number"])))
        return JSONResponse([[str(entry.starts_at) for entry in edition.agenda(number)] for number in range(people)])

    async def cpu(_: Request) -> Response:
        used = resource.getrusage(resource.RUSAGE_SELF)
        return PlainTextResponse(str(used.ru_utime + used.ru_stime))

    async def bare(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001 - it reads nothing
        await send({"type": "http.response.start", "status": HTTPStatus.NOT_MODIFIED, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    own: list[BaseRoute] = [
        Mount("/bare", bare),
        Route("/begin", begin),
        Route("/change/{number}", change),
        Route("/cpu", cpu),
    ]
    serve(settings, Starlette(routes=[*own, *public_routes(feed, addresses)]))


def _now() -> datetime:
    return datetime.now(UTC)


async def _load(base: str, rate: float, seconds: float) -> list[dict[str, object]]:
    random, tags = Random(1), dict[str, str]()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=100)) as session:
        addresses = await _begin(session, base)

        async def poll(address: str, *, knows: bool) -> int:
            headers = {"if-none-match": tags[address]} if knows and address in tags else {}
            async with session.get(address, headers=headers) as answer:
                await answer.read()
                tags[address] = answer.headers.get("etag", "")
                return answer.status

        async def poll_any() -> int:
            return await poll(random.choice(addresses), knows=random.random() >= _UNKNOWING)

        for address in addresses:
            await poll(address, knows=False)
        changing = asyncio.create_task(_change(session, base, seconds))
        feeds = await _paced(session, base, rate, seconds, poll_any)
        agendas = await changing
        wrong = await _differing(session, addresses, agendas)
        bare = await _paced(session, base, rate, seconds, lambda: poll(f"{base}/bare", knows=False))
    return [
        {"answer": "feed", **feeds, "feeds_unlike_the_agenda": wrong},
        {"answer": "bare ASGI", **bare, "feeds_unlike_the_agenda": ""},
    ]


async def _paced(
    session: aiohttp.ClientSession, base: str, rate: float, seconds: float, ask: Callable[[], Awaitable[int]]
) -> dict[str, object]:
    """Ask at a steady rate, and return the figures of the answers. `ask` returns the status of an answer."""
    times, statuses = list[float](), list[int]()

    async def timed(due: float) -> None:
        statuses.append(await ask())
        times.append(time.monotonic() - due)

    cpu_before, began = await _cpu(session, base), time.monotonic()
    polls: list[asyncio.Task[None]] = []
    for number in range(round(rate * seconds)):
        due = began + number / rate
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        polls.append(asyncio.create_task(timed(due)))
    await asyncio.gather(*polls)
    took, cpu = time.monotonic() - began, await _cpu(session, base) - cpu_before
    times.sort()
    return {
        "requests_a_second": round(len(times) / took),
        "with_304": f"{statuses.count(304) / len(statuses):.0%}",
        "failed": sum(status not in _EXPECTED for status in statuses),
        "p50_ms": round(1000 * percentile(times, 0.5), 1),
        "p99_ms": round(1000 * percentile(times, 0.99), 1),
        "cores": round(cpu / took, 2),
    }


async def _begin(session: aiohttp.ClientSession, base: str) -> list[str]:
    for _ in range(100):
        try:
            async with session.get(f"{base}/begin") as answer:
                addresses: list[str] = await answer.json()
                return addresses
        except aiohttp.ClientConnectionError:
            await asyncio.sleep(0.1)
    raise TimeoutError("the server did not start within ten seconds")


async def _change(session: aiohttp.ClientSession, base: str, seconds: float) -> list[list[str]]:
    """Change the edition every second; return the starts of all agendas after the last change."""
    agendas: list[list[str]] = []
    for number in range(round(seconds * _CHANGES_A_SECOND)):
        async with session.get(f"{base}/change/{number}") as answer:
            agendas = await answer.json()
        await asyncio.sleep(1 / _CHANGES_A_SECOND)
    return agendas


async def _differing(session: aiohttp.ClientSession, addresses: list[str], agendas: list[list[str]]) -> int:
    """Count the feeds whose entries do not start as the entries of the agenda, without the ended links."""
    differing = 0
    for address, starts in zip(addresses, agendas, strict=True):
        async with session.get(address) as answer:
            if answer.status == HTTPStatus.GONE:
                continue
            mailbox = Mailbox()
            mailbox.replace(read_text(await answer.read()))
            differing += sorted(str(entry.starts_at) for entry in mailbox.shown()) != sorted(starts)
    return differing


async def _cpu(session: aiohttp.ClientSession, base: str) -> float:
    async with session.get(f"{base}/cpu") as answer:
        return float(await answer.text())
