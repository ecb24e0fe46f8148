"""A stranger's connections: heads, bodies and answers without end, against each service as a real process."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager

import pytest

from services import SERVICES
from tests.support.service_process import ServiceProcess, rest_of, service_process
from tests.support.waiting import wait_until

_TOKEN = "t0ken"
_CONNECTIONS = 300
#: A request with a body that matching reads, and only matching.
_READ_BODY = f"POST /internal/profile-help HTTP/1.1\r\nAuthorization: Bearer {_TOKEN}\r\n".encode()
#: More memory than this in a service is a bound that does not hold: 300 connections may hold 64 KiB each.
_MOST_MEMORY = 64 * 1024 * 1024


@pytest.fixture(scope="module")
def processes() -> Iterator[dict[str, ServiceProcess]]:
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(
                service_process(
                    name,
                    internal_token=_TOKEN,
                    http_head_seconds=1,
                    http_body_seconds=1,
                    http_idle_seconds=1,
                    http_connections=_CONNECTIONS,
                )
            )
            for name in SERVICES
        }


@pytest.fixture(params=SERVICES)
def service(request: pytest.FixtureRequest, processes: dict[str, ServiceProcess]) -> ServiceProcess:
    return processes[request.param]


@pytest.fixture
def matching(processes: dict[str, ServiceProcess]) -> ServiceProcess:
    return processes["matching"]


@asynccontextmanager
async def flat(service: ServiceProcess) -> AsyncIterator[None]:
    """Hold that a service answers during an attack, and keeps its memory."""
    before = service.memory
    yield
    assert await service.lives()
    assert service.memory - before < _MOST_MEMORY


async def dribble(writer: asyncio.StreamWriter, part: bytes) -> None:
    """Send a part again and again, until the server closes the connection."""
    with contextlib.suppress(ConnectionError):
        while True:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0.02)


async def dribbled(service: ServiceProcess, beginning: bytes, part: bytes) -> bytes:
    """Begin a request, dribble the rest, and return the answer once the server has closed the connection."""
    async with service.connection() as (reader, writer):
        writer.write(beginning)
        endless = asyncio.create_task(dribble(writer, part))
        try:
            return await rest_of(reader)
        finally:
            endless.cancel()


async def test_endless_headers_end_with_431_while_the_service_answers(service: ServiceProcess) -> None:
    async def attack() -> bytes:
        async with service.connection() as (reader, writer):
            writer.write(b"GET / HTTP/1.1\r\nA: ")
            with contextlib.suppress(ConnectionError):
                for _ in range(1000):
                    writer.write(b"a" * 16_384)
                    await writer.drain()
            return await rest_of(reader)

    async with flat(service):
        attacks = [asyncio.create_task(attack()) for _ in range(3)]
        assert await service.lives()
        for answer in await asyncio.gather(*attacks):
            # A reset may overtake the answer.
            assert answer == b"" or answer.startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nA: " + b"a" * 70_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"a" * 70_000,
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 300 + b"\r\n",
        b"GET /livez HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\nA: " + b"a" * 140_000,
    ],
    ids=["field", "name", "url", "fields", "second request"],
)
async def test_a_head_beyond_its_bounds_is_refused(service: ServiceProcess, head: bytes) -> None:
    assert b"HTTP/1.1 431 " in await service.answer_to(head)


async def test_a_head_just_within_its_bounds_is_answered(service: ServiceProcess) -> None:
    head = b"GET /livez HTTP/1.1\r\nConnection: close\r\nA: " + b"a" * 65_000 + b"\r\n\r\n"
    assert (await service.answer_to(head)).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    ("beginning", "part"),
    [(b"", b"\r\n"), (b"GET /livez HTTP/1.1\r\n", b"A: b\r\n"), (b"GET /livez HTTP/1.1\r\nA: ", b"a"), (b"G", b"")],
    ids=["empty lines", "fields", "value", "pause"],
)
async def test_a_slow_head_ends_with_408(service: ServiceProcess, beginning: bytes, part: bytes) -> None:
    answer = await dribbled(service, beginning, part)
    assert answer.startswith((b"HTTP/1.1 408 ", b"HTTP/1.1 431 "))


async def test_silent_and_idle_connections_are_closed(service: ServiceProcess) -> None:
    assert await service.answer_to(b"") == b""
    assert (await service.answer_to(b"GET /livez HTTP/1.1\r\n\r\n")).count(b"HTTP/1.1") == 1


async def test_thousands_of_half_requests_keep_no_whole_request_out(service: ServiceProcess) -> None:
    open_now = 0

    async def half_request() -> None:
        nonlocal open_now
        async with service.connection() as (reader, writer):
            writer.write(b"GET / HTTP/1.1\r\nA: " + b"a" * 1000)
            open_now += 1
            await rest_of(reader)

    async with flat(service):
        half = []
        for number in range(1, 4):
            half += [asyncio.create_task(half_request()) for _ in range(_CONNECTIONS)]
            await wait_until(lambda number=number: open_now == number * _CONNECTIONS)
            # The limit is reached, by requests of which none is whole.
            assert await service.lives()
        await asyncio.gather(*half)


@pytest.mark.parametrize(
    ("framing", "part"),
    [
        (b"Content-Length: 1000\r\n\r\n{", b""),
        (b"Content-Length: 100000\r\n\r\n{", b" "),
        (b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        (b"Transfer-Encoding: chunked\r\n\r\n1", b";a"),
    ],
    ids=["pause", "dribble", "chunks", "chunk extension"],
)
async def test_a_slow_body_ends_with_408(matching: ServiceProcess, framing: bytes, part: bytes) -> None:
    assert (await dribbled(matching, _READ_BODY + framing, part)).startswith(b"HTTP/1.1 408 ")
    assert "ASGI" not in matching.log.read_text()


async def test_an_endless_trailer_is_refused(matching: ServiceProcess) -> None:
    chunked = b"Transfer-Encoding: chunked\r\n\r\n1\r\n \r\n0\r\nA: "
    async with flat(matching):
        assert (await matching.answer_to(_READ_BODY + chunked + b"a" * 200_000)).startswith(b"HTTP/1.1 431 ")


async def test_the_rest_of_a_refused_body_does_not_hold_a_connection(service: ServiceProcess) -> None:
    answer = await dribbled(service, b"POST /nowhere HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n", b"a")
    assert answer.count(b"HTTP/1.1") == 1


async def test_pipelined_requests_are_bounded(service: ServiceProcess) -> None:
    async with flat(service):
        answer = await service.answer_to(*[b"GET /metrics HTTP/1.1\r\n\r\n" * 5000] * 4)
    assert answer.count(b"HTTP/1.1 200") <= 16


async def test_a_client_that_reads_no_answer_is_cut_off(processes: dict[str, ServiceProcess]) -> None:
    registration = processes["registration"]
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", registration.port))
        client.sendall(b"GET /openapi.json HTTP/1.1\r\n\r\n" * 16)

        async def is_cut() -> bool:
            return b'tertulia_http_refused_total{reason="unread"} 1.0' in await registration.get("/metrics")

        await wait_until(is_cut)


async def test_garbage_is_refused_with_400(service: ServiceProcess) -> None:
    for garbage in (b"\x16\x03\x01\x02\x00\x01\x00", b"GET / HTTP/1.1\r\nA b\r\n\r\n", b"CONNECT a:1 HTTP/1.1\r\n\r\n"):
        assert (await service.answer_to(garbage)).startswith(b"HTTP/1.1 400 ")
