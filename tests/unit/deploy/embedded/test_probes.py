from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import bson
import pytest

from deploy.embedded import probes
from deploy.embedded.probes import free_ports, http_answers, kafka_answers, mongo_answers, smtp_answers
from deploy.embedded.process import Probe

_BROKERS = struct.pack(">iii", 8, 0, 2) + b"..."
_PONG = struct.pack("<iiii", 0, 1, 1, 2013) + b"\0\0\0\0\0" + bson.encode({"ok": 1})


@asynccontextmanager
async def server(answer: bytes | None) -> AsyncIterator[int]:
    """A port where each connection gets this answer and is closed; with None it is left waiting."""
    ended = asyncio.Event()

    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if answer is None:
            await ended.wait()
        else:
            writer.write(answer)
        writer.close()
        await writer.wait_closed()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listening:
        yield listening.sockets[0].getsockname()[1]
        ended.set()


@pytest.mark.parametrize(
    ("probe_of", "answer", "ready"),
    [
        (lambda port: kafka_answers(port, brokers=2), _BROKERS, True),
        (lambda port: kafka_answers(port, brokers=3), _BROKERS, False),
        (kafka_answers, b"\0\0", False),
        (kafka_answers, b"", False),
        (mongo_answers, _PONG, True),
        (mongo_answers, b"", False),
        (smtp_answers, b"220 here\r\n", True),
        (smtp_answers, b"554 go away\r\n", False),
        (lambda port: http_answers(port, "/readyz"), b"HTTP/1.1 200 OK\r\n\r\n", True),
        (lambda port: http_answers(port, "/readyz"), b"HTTP/1.1 503 Service Unavailable\r\n\r\n", False),
    ],
)
async def test_a_server_is_ready_once_it_answers_in_its_protocol(
    probe_of: Callable[[int], Probe], answer: bytes, ready: bool
) -> None:
    async with server(answer) as port:
        assert await probe_of(port)() is ready


@pytest.mark.parametrize("probe_of", [kafka_answers, mongo_answers, smtp_answers])
async def test_a_port_without_a_server_is_not_ready(probe_of: Callable[[int], Callable[[], Awaitable[bool]]]) -> None:
    [port] = free_ports(1)

    assert await probe_of(port)() is False


async def test_a_silent_server_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "_ANSWER_SECONDS", 0.1)
    async with server(None) as port:
        assert await mongo_answers(port)() is False


def test_free_ports_are_different_and_as_many_as_asked() -> None:
    assert len(set(free_ports(20))) == 20
