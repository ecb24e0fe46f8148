"""Readiness probes for servers on this machine: a small request in the server's protocol, without a client library."""

from __future__ import annotations

import asyncio
import functools
import secrets
import socket
import struct

import bson

from deploy.embedded.process import Probe

HOST = "127.0.0.1"
_ANSWER_SECONDS = 5.0
#: Ports below the range for outgoing connections: no such connection can take the port of a server that restarts.
_PORTS = range(10_000, 32_000)


def free_ports(count: int) -> list[int]:
    """Return ports on which nothing listens now."""
    found: set[int] = set()
    while len(found) < count:
        port = secrets.choice(_PORTS)
        with socket.socket() as candidate:
            if candidate.connect_ex((HOST, port)) != 0:
                found.add(port)
    return list(found)


def kafka_answers(port: int, brokers: int = 1) -> Probe:
    """Return a probe: the broker lists at least `brokers` live brokers, itself included (Metadata v1, no topic)."""
    request = struct.pack(">hhih i", 3, 1, 0, -1, 0)

    async def probe() -> bool:
        answer = await _exchange(port, struct.pack(">i", len(request)) + request)
        # Size, correlation id, and the number of brokers that follow; an empty or cut answer counts none.
        return int.from_bytes(answer[8:12]) >= brokers

    return probe


def mongo_answers(port: int) -> Probe:
    """Return a probe: the server answers `ping` (OP_MSG)."""
    message = struct.pack("<I", 0) + b"\0" + bson.encode({"ping": 1, "$db": "admin"})
    request = struct.pack("<iiii", 16 + len(message), 1, 0, 2013) + message
    return functools.partial(_answers, port, request, b"")


def smtp_answers(port: int) -> Probe:
    """Return a probe: the server sends its greeting."""
    return functools.partial(_answers, port, b"", b"220 ")


def http_answers(port: int, path: str) -> Probe:
    """Return a probe: the server answers a GET with status 200."""
    request = f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode()
    return functools.partial(_answers, port, request, b"HTTP/1.1 200")


async def _answers(port: int, request: bytes, beginning: bytes) -> bool:
    answer = await _exchange(port, request)
    return len(answer) > 0 and answer.startswith(beginning)


async def _exchange(port: int, request: bytes) -> bytes:
    """Return the beginning of the answer, empty after `_ANSWER_SECONDS` without any."""
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            reader, writer = await asyncio.open_connection(HOST, port)
            try:
                writer.write(request)
                return await reader.read(4096)
            finally:
                writer.close()
                await writer.wait_closed()
    except OSError:  # refused, reset, or timed out
        return b""
