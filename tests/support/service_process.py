"""Services as real processes, and clients that write bytes to their ports as an attacker does."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.embedded.probes import HOST, free_ports

#: Nothing listens on port 1: a service without its servers is alive and answers.
_SETTINGS = {
    "TERTULIA_KAFKA_BOOTSTRAP": f"{HOST}:1",
    "TERTULIA_MONGO_URL": f"mongodb://{HOST}:1",
    "TERTULIA_MONGO_TIMEOUT_SECONDS": "0.2",
    "TERTULIA_SHUTDOWN_SECONDS": "1",
}
_PATIENCE_SECONDS = 30


class ServiceEnded(Exception):
    """The service does not run; the message holds its log."""


@dataclass(frozen=True)
class ServiceProcess:
    """A running service: its HTTP port, its process id and its log."""

    port: int
    pid: int
    log: Path

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """Open a connection; it is cut off at the end."""
        reader, writer = await asyncio.open_connection(HOST, self.port)
        try:
            yield reader, writer
        finally:
            writer.transport.abort()

    async def answer_to(self, *parts: bytes) -> bytes:
        """Send bytes, and return all that comes back until the server closes the connection."""
        async with self.connection() as (reader, writer):
            with contextlib.suppress(ConnectionError):
                for part in parts:
                    writer.write(part)
                    await writer.drain()
            return await rest_of(reader)

    async def get(self, path: str) -> bytes:
        """Return the whole answer to a GET."""
        return await self.answer_to(f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode())

    async def lives(self) -> bool:
        """Return whether `/livez` answers 200."""
        return (await self.get("/livez")).startswith(b"HTTP/1.1 200")

    @property
    def memory(self) -> int:
        """Resident memory in bytes."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * 4096


async def rest_of(reader: asyncio.StreamReader) -> bytes:
    """Return all bytes until the end of a connection; a reset is an end too."""
    received = b""
    async with asyncio.timeout(_PATIENCE_SECONDS):
        with contextlib.suppress(ConnectionError):
            while part := await reader.read(65_536):
                received += part
    return received


@contextmanager
def service_process(name: str, **settings: object) -> Iterator[ServiceProcess]:
    """Run a service without its servers until the end of the block; settings are named as in the code."""
    [port] = free_ports(1)
    environment = {f"TERTULIA_{setting.upper()}": str(value) for setting, value in settings.items()}
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "log")
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", f"services.{name}"],
                env={**os.environ, **_SETTINGS, "TERTULIA_HTTP_PORT": str(port), **environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        try:
            _wait_for(process, port, log)
            yield ServiceProcess(port, process.pid, log)
        finally:
            process.kill()
            process.wait()


def _wait_for(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + 2 * _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise ServiceEnded(log.read_text())
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) == 0:
                return
        time.sleep(0.05)
    raise ServiceEnded(f"not ready in time: {log.read_text()}")
