"""A connection from its admission to its end: the limit of connections, TLS, refusals and closing."""

from __future__ import annotations

import asyncio
import ssl
from asyncio import TimerHandle
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Generic, TypeVar, cast

from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from shared.runtime.http.bounds import BUSY, Bounds
from shared.runtime.http.refusals import Refusal
from shared.runtime.metrics import HTTP_REFUSED

Result = TypeVar("Result")

#: A closed connection is cut off after this time, and after this many bytes, if the client goes on.
CLOSE_SECONDS = 2.0
_CLOSE_BYTES = 256 * 1024


class BoundedConfig(Config):
    """Settings of uvicorn, with the bounds of the ports and their TLS context."""

    def __init__(
        self,
        *arguments: Any,  # noqa: ANN401 - of uvicorn
        bounds: dict[int, Bounds],
        tls: ssl.SSLContext | None = None,
        **options: Any,  # noqa: ANN401 - of uvicorn
    ) -> None:
        super().__init__(*arguments, **options)
        self.bounds = bounds
        self.tls = tls


class _Begun(Generic[Result]):
    """A coroutine that has run to its first pause.

    A task would begin in the next round of the loop. uvloop may read from the socket before, and TLS would miss bytes.
    """

    def __init__(self, coroutine: Coroutine[Any, None, Result]) -> None:
        self._coroutine = coroutine
        self._pause = coroutine.send(None)

    def __await__(self) -> Generator[Any, None, Result]:
        yield self._pause
        return (yield from self._coroutine.__await__())


class AdmittedConnection(HttpToolsProtocol):
    """A connection that the limit of its port admits, and that ends even if its client does nothing for it."""

    config: BoundedConfig

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._bounds: Bounds = None  # type: ignore[assignment] # known with the port
        self._socket: asyncio.Transport = None  # type: ignore[assignment] # below TLS
        self._handshake: asyncio.Task[None] | None = None
        self._timers: dict[str, TimerHandle] = {}
        self._is_in_body = False
        #: Bytes that came after the connection was refused; None before.
        self._discarded: int | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Admit the connection; with TLS, begin the handshake."""
        self._socket = cast("asyncio.Transport", transport)
        self._bounds = self.config.bounds[self._socket.get_extra_info("sockname")[1]]
        self.connections.add(self)
        is_admitted = self._bounds.admit(self)
        if self.config.tls is None:
            super().connection_made(self._socket)
        if not is_admitted:
            self._refuse(BUSY)
        elif self.config.tls is not None:
            secured = self.loop.start_tls(
                self._socket, self, self.config.tls, server_side=True, ssl_shutdown_timeout=CLOSE_SECONDS
            )
            self._handshake = self.loop.create_task(self._secure(_Begun(secured)))

    async def _secure(self, handshake: _Begun[asyncio.Transport | None]) -> None:
        try:
            secured = await handshake
        except OSError:  # no TLS, no common version, closed
            self._socket.abort()
        else:
            if secured is not None:
                super().connection_made(secured)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._bounds.leave(self)
        for timer in self._timers.values():
            timer.cancel()
        if self.transport is not None:
            super().connection_lost(exc)
        self.connections.discard(self)

    def shutdown(self) -> None:
        """Begin the graceful end of the server."""
        if self.transport is None:
            self._socket.abort()
        else:
            super().shutdown()

    def cut(self) -> None:
        """Close the connection at once, without an answer."""
        HTTP_REFUSED.labels(reason="evicted").inc()
        self._socket.abort()

    def timeout_keep_alive_handler(self) -> None:
        """Close a connection without a further request."""
        self._close()

    def pause_writing(self) -> None:
        """Note that the client does not read its answer."""
        super().pause_writing()
        self._start("unread", self._bounds.body_seconds, self._cut_unread)

    def resume_writing(self) -> None:
        """Note that the client reads its answer."""
        super().resume_writing()
        self._cancel("unread")

    @property
    def _has_request(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _refuse(self, refusal: Refusal) -> None:
        """Answer with a refusal, unless an answer to the request has begun, and close the connection."""
        HTTP_REFUSED.labels(reason=refusal.slug).inc()
        self._discarded = 0
        is_answered = self.cycle is not None and self.cycle.response_started and (self._is_in_body or self._has_request)
        if self._has_request:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.transport is None or self.pipeline or is_answered:
            self._socket.abort()
            return
        self.flow.resume_reading()
        self.transport.write(refusal.message)
        if self.transport.can_write_eof():
            # The client reads the answer first: a close with unread bytes would reset the connection.
            self.transport.write_eof()
            self._cut_later()
        else:
            self._close()

    def _discard(self, data: bytes) -> None:
        """Drop what a refused client still sends, up to a limit."""
        self._discarded = (self._discarded or 0) + len(data)
        if self._discarded > _CLOSE_BYTES:
            self._socket.abort()

    def _close(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()
        self._cut_later()

    def _cut_later(self) -> None:
        """Cut the connection off after a short time, if the client leaves the last bytes unread."""
        self._cancel("phase")
        self._start("close", CLOSE_SECONDS, self._socket.abort)

    def _cut_unread(self) -> None:
        HTTP_REFUSED.labels(reason="unread").inc()
        self._socket.abort()

    def _start(self, timer: str, seconds: float, then: Callable[[], None]) -> None:
        self._cancel(timer)
        self._timers[timer] = self.loop.call_later(seconds, then)

    def _cancel(self, timer: str) -> None:
        if timer in self._timers:
            self._timers.pop(timer).cancel()
