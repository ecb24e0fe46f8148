from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from deploy.embedded.probes import HOST, free_ports
from tests.chaos.proxy import Proxy, Toxic, ToxicKind

_LONG, _SHORT = 10.0, 0.2


class Server:
    """Server that answers a line with the same line, and records it."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.tasks: list[asyncio.Task[None]] = []

    def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.tasks.append(asyncio.create_task(self._answer(reader, writer)))

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while line := await reader.readline():
                self.heard.append(line)
                writer.write(line)
                await writer.drain()
        writer.close()


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def say(self, line: bytes) -> None:
        self.writer.write(line + b"\n")
        await self.writer.drain()

    async def hear(self, seconds: float = _LONG) -> bytes:
        return (await asyncio.wait_for(self.reader.readline(), seconds)).rstrip()

    async def ask(self, line: bytes, seconds: float = _LONG) -> bytes:
        await self.say(line)
        return await self.hear(seconds)

    async def is_cut_off(self, line: bytes) -> bool:
        """Return whether the connection breaks without an answer."""
        try:
            return await self.ask(line) == b""
        except ConnectionError:
            return True


@pytest.fixture
async def server() -> AsyncIterator[tuple[Server, int]]:
    server, [port] = Server(), free_ports(1)
    listening = await asyncio.start_server(server.serve, HOST, port)
    yield server, port
    listening.close()
    for task in server.tasks:
        task.cancel()
    await asyncio.gather(*server.tasks, return_exceptions=True)


@pytest.fixture
async def proxy(server: tuple[Server, int]) -> AsyncIterator[Proxy]:
    [port] = free_ports(1)
    async with Proxy(port, server[1]) as proxy:
        yield proxy


Connect = Callable[[Proxy], Awaitable[Client]]


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    clients: list[Client] = []

    async def connected(proxy: Proxy) -> Client:
        clients.append(Client(*await asyncio.open_connection(HOST, proxy.port)))
        return clients[-1]

    yield connected
    for client in clients:
        client.writer.transport.abort()


async def test_bytes_pass_both_ways_at_any_length(proxy: Proxy, connect: Connect) -> None:
    client = await connect(proxy)
    line = b"x" * 60_000
    assert await client.ask(line) == line
    assert await client.ask(b"again") == b"again"


async def test_the_end_of_a_side_reaches_the_other_side(proxy: Proxy, connect: Connect) -> None:
    client = await connect(proxy)
    assert await client.ask(b"one") == b"one"
    client.writer.write_eof()
    assert await asyncio.wait_for(client.reader.read(), _LONG) == b""
    while proxy.connections:
        await asyncio.sleep(0.01)


async def test_latency_delays_bytes(proxy: Proxy, connect: Connect) -> None:
    client = await connect(proxy)
    proxy.poison(Toxic(ToxicKind.LATENCY, seconds=0.15, jitter=0.05))
    began = time.monotonic()
    assert await client.ask(b"slow") == b"slow"
    assert time.monotonic() - began >= 0.2  # both ways, each at least 0.1 s


async def test_a_blackhole_holds_bytes_until_it_is_cleared(
    proxy: Proxy, server: tuple[Server, int], connect: Connect
) -> None:
    old = await connect(proxy)
    assert await old.ask(b"before") == b"before"
    proxy.poison(Toxic(ToxicKind.BLACKHOLE))
    new = await connect(proxy)
    for client, line in ((old, b"old"), (new, b"new")):
        with pytest.raises(TimeoutError):
            await client.ask(line, _SHORT)
    assert server[0].heard == [b"before\n"]
    proxy.cure()
    assert await old.hear() == b"old"
    assert await new.hear() == b"new"


async def test_a_reset_ends_connections_and_refuses_new_ones_until_cleared(proxy: Proxy, connect: Connect) -> None:
    client = await connect(proxy)
    assert await client.ask(b"before") == b"before"
    proxy.poison(Toxic(ToxicKind.RESET))
    with pytest.raises(ConnectionResetError):
        await client.hear()
    another = await connect(proxy)
    assert await another.is_cut_off(b"now")
    proxy.cure()
    assert await (await connect(proxy)).ask(b"after") == b"after"


async def test_a_cut_passes_its_number_of_bytes_and_resets(
    proxy: Proxy, server: tuple[Server, int], connect: Connect
) -> None:
    client = await connect(proxy)
    proxy.poison(Toxic(ToxicKind.CUT, after_bytes=12))
    assert await client.ask(b"12345") == b"12345"  # six bytes there, six back
    assert await client.is_cut_off(b"6")
    assert server[0].heard == [b"12345\n"]
    proxy.cure()
    assert await (await connect(proxy)).ask(b"after") == b"after"


async def test_the_request_of_a_lost_reply_was_served(
    proxy: Proxy, server: tuple[Server, int], connect: Connect
) -> None:
    client = await connect(proxy)
    proxy.poison(Toxic(ToxicKind.DROP_REPLIES))
    with pytest.raises(TimeoutError):
        await client.ask(b"pay", _SHORT)
    assert server[0].heard == [b"pay\n"]
    proxy.cure()
    with pytest.raises(ConnectionResetError):  # it has a hole
        await client.hear()
    assert await (await connect(proxy)).ask(b"after") == b"after"


async def test_replies_pass_again_once_a_toxic_is_cleared(proxy: Proxy, connect: Connect) -> None:
    client = await connect(proxy)
    proxy.poison(Toxic(ToxicKind.DROP_REPLIES))
    proxy.cure()
    assert await client.ask(b"after") == b"after"


async def test_a_new_toxic_replaces_the_present_toxic(proxy: Proxy, connect: Connect) -> None:
    client = await connect(proxy)
    proxy.poison(Toxic(ToxicKind.BLACKHOLE))
    proxy.poison(Toxic(ToxicKind.LATENCY, seconds=0.01))
    assert await client.ask(b"slow") == b"slow"
    assert proxy.toxic == Toxic(ToxicKind.LATENCY, seconds=0.01)


async def test_connections_to_an_absent_server_are_reset(connect: Connect) -> None:
    ports = free_ports(2)
    async with Proxy(ports[0], ports[1]) as proxy:
        client = await connect(proxy)
        assert await client.is_cut_off(b"anybody")


async def test_closing_the_proxy_ends_its_connections(server: tuple[Server, int], connect: Connect) -> None:
    [port] = free_ports(1)
    async with Proxy(port, server[1]) as proxy:
        client = await connect(proxy)
        assert await client.ask(b"before") == b"before"
        proxy.poison(Toxic(ToxicKind.BLACKHOLE))
    with pytest.raises(ConnectionResetError):
        await client.hear()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(HOST, port)
