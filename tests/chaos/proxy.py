"""A TCP proxy between a service and a server that can be made to fail while it runs (ADR 0023).

The faults are named as Toxiproxy names them where it has them (https://github.com/Shopify/toxiproxy, "Toxics"), but a
connection that has lost bytes is reset when its toxic is cleared: no TCP connection goes on with a hole in it.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Self

from deploy.embedded.probes import HOST

_CHUNK = 65_536


class ToxicKind(StrEnum):
    """Kind of a fault between a client and a server.

    - latency: chunks are held back for `seconds`, plus or minus `jitter`.
    - blackhole: no byte passes, without an error; held bytes pass once the toxic is cleared.
    - reset: all connections are reset, new connections too.
    - cut: a connection passes `after_bytes` more, both ways together, and is reset.
    - drop_replies: requests pass, replies are lost. The server has acted, and the client does not know.
    """

    LATENCY = "latency"
    BLACKHOLE = "blackhole"
    RESET = "reset"
    CUT = "cut"
    DROP_REPLIES = "drop_replies"


@dataclass(frozen=True)
class Toxic:
    """One fault of a proxy."""

    kind: ToxicKind
    seconds: float = 0.0
    jitter: float = 0.0
    after_bytes: int = 0


class Proxy:
    """Forwards connections of a local port to an upstream port, with at most one toxic for all of them."""

    def __init__(self, port: int, upstream_port: int) -> None:
        self.port = port
        self._upstream_port = upstream_port
        self._toxic: Toxic | None = None
        self._open = asyncio.Event()
        self._open.set()
        self._links: dict[_Link, asyncio.Task[None]] = {}
        self._server: asyncio.Server | None = None

    @property
    def toxic(self) -> Toxic | None:
        """The present toxic, if any."""
        return self._toxic

    @property
    def connections(self) -> int:
        """Number of open connections."""
        return len(self._links)

    def poison(self, toxic: Toxic) -> None:
        """Have something go wrong from now on, with the connections there are and with new ones."""
        self.cure()
        self._toxic = toxic
        if toxic.kind is ToxicKind.BLACKHOLE:
            self._open.clear()
        for link in list(self._links):
            link.room = toxic.after_bytes
            if toxic.kind is ToxicKind.RESET:
                link.reset()

    def cure(self) -> None:
        """Have everything pass again."""
        self._toxic = None
        self._open.set()
        for link in list(self._links):
            if link.is_torn:
                link.reset()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, HOST, self.port, limit=_CHUNK)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
        self.cure()
        for link in list(self._links):
            link.reset()
        await asyncio.gather(*self._links.values())
        if self._server is not None:
            # Since Python 3.12 this waits for the connections, too: they are reset above.
            await self._server.wait_closed()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = _Link(writer)
        self._links[link] = asyncio.create_task(self._serve(link, reader, writer))

    async def _serve(self, link: _Link, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if self._toxic and self._toxic.kind is ToxicKind.RESET:
                return
            link.room = self._toxic.after_bytes if self._toxic else 0
            from_server, link.to_server = await asyncio.open_connection(HOST, self._upstream_port, limit=_CHUNK)
            async with asyncio.TaskGroup() as both_ways:
                both_ways.create_task(self._pump(link, reader, link.to_server, is_reply=False))
                both_ways.create_task(self._pump(link, from_server, writer, is_reply=True))
        except* OSError:  # the server is away, or either side has gone
            pass
        finally:
            link.reset()
            self._links.pop(link, None)

    async def _pump(
        self, link: _Link, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_reply: bool
    ) -> None:
        while data := await reader.read(_CHUNK):
            passing = await self._passing(link, data, is_reply=is_reply)
            if passing:
                writer.write(passing)
                await writer.drain()
            if link.is_torn and not link.loses_replies:
                raise ConnectionResetError("cut")
        await self._open.wait()
        with contextlib.suppress(OSError):
            writer.write_eof()

    async def _passing(self, link: _Link, data: bytes, *, is_reply: bool) -> bytes:
        """Wait as the toxic demands, then return the bytes that pass."""
        toxic = self._toxic
        if toxic and toxic.kind is ToxicKind.LATENCY:
            await asyncio.sleep(max(0.0, toxic.seconds + random.uniform(-toxic.jitter, toxic.jitter)))  # noqa: S311 - no secret
        await self._open.wait()
        toxic = self._toxic
        if toxic and toxic.kind is ToxicKind.DROP_REPLIES and is_reply:
            link.is_torn = link.loses_replies = True
            return b""
        if toxic and toxic.kind is ToxicKind.CUT:
            data, link.is_torn = data[: link.room], len(data) >= link.room
            link.room -= len(data)
        return data


class _Link:
    """A connection through the proxy."""

    def __init__(self, to_client: asyncio.StreamWriter) -> None:
        self._to_client = to_client
        self.to_server: asyncio.StreamWriter | None = None
        #: Bytes that a cut still lets pass.
        self.room = 0
        #: Whether bytes were lost, so that the connection cannot continue.
        self.is_torn = False
        self.loses_replies = False

    def reset(self) -> None:
        """End the connection as if a machine had gone: RST both ways, waiting bytes are not sent."""
        for writer in (self._to_client, self.to_server):
            if writer is None:
                continue
            with contextlib.suppress(OSError, AttributeError):
                # A linger time of zero makes the close a reset.
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
