"""A connection: uvicorn's protocol on httptools, within the bounds of its port."""

from __future__ import annotations

import asyncio
from typing import Any, NoReturn

from shared.runtime.http.admission import CLOSE_SECONDS, AdmittedConnection
from shared.runtime.http.bounds import BODY_LATE, BUSY, HEAD_BYTES, HEAD_FIELDS, HEAD_LATE, HEAD_TOO_LARGE
from shared.runtime.http.refusals import Refusal
from shared.runtime.metrics import HTTP_REFUSED

#: A body that arrives no faster than this, in bytes a second, is not waited for.
BODY_BYTES_A_SECOND = 16 * 1024
#: Most requests of a connection that wait for the answer to the request before them.
_PIPELINED = 16


class _Stopped(Exception):
    """Raised in a callback of the parser to end the parsing; the refusal is noted before."""


class BoundedConnection(AdmittedConnection):
    """A connection with a limit for everything that its client can send or leave undone.

    uvicorn bounds neither the size of a head nor the time of a request, and httptools keeps unfinished parts: a field,
    a trailer, a line. All bytes since the last delivered part are counted; `HEAD_BYTES` of them end the connection.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - of uvicorn
        super().__init__(*arguments, **options)
        #: The timed phase: the number of whole requests before it, and its name.
        self._phase: tuple[int, str] = (0, "")
        self._requests = 0
        self._undelivered = 0
        self._body_bytes = 0
        self._body_began = 0.0
        #: The refusal that the next error of the parser stands for.
        self._refusal: Refusal | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for the first head, which includes the handshake of TLS."""
        super().connection_made(transport)
        if self._discarded is None:
            self._watch("head")

    # -- bytes come in
    def data_received(self, data: bytes) -> None:
        """Parse bytes in pieces, so that no unfinished part grows beyond its bound."""
        if self._discarded is not None:
            self._discard(data)
            return
        while data and self._discarded is None and not self.transport.is_closing():
            room = HEAD_BYTES - self._undelivered
            if room <= 0:
                self._refuse(HEAD_TOO_LARGE)
                return
            piece, data = data[:room], data[room:]
            self._undelivered += len(piece)
            super().data_received(piece)
        self._watch("body" if self._is_in_body else "head" if self._undelivered else "")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a field of a head or a trailer."""
        if len(self.headers) >= HEAD_FIELDS:
            self._stop(HEAD_TOO_LARGE)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Begin a request, unless too many wait on this connection."""
        if len(self.pipeline) >= _PIPELINED:
            self._stop(BUSY)
        self._undelivered = self._body_bytes = 0
        self._is_in_body = True
        self._body_began = self.loop.time()
        super().on_headers_complete()
        self._bounds.work(self)

    def on_body(self, body: bytes) -> None:
        """Take a part of a body."""
        self._undelivered = 0
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Note the end of a request."""
        self._undelivered = 0
        self._is_in_body = False
        self._requests += 1
        self._cancel("lingering")
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer bytes that the parser refused, or that a callback refused."""
        if self._refusal is not None:
            self._refuse(self._refusal)
            return
        HTTP_REFUSED.labels(reason="malformed").inc()
        super().send_400_response(msg)
        self._cut_later()

    # -- answers go out
    def on_response_complete(self) -> None:
        """Wait for the next request. A body that is still to come is read and dropped, for a short time."""
        super().on_response_complete()
        self._bounds.wait(self)
        if self.transport.is_closing():
            self._cut_later()
        elif self._is_in_body:
            self._start("lingering", CLOSE_SECONDS, self._close)

    # -- time passes
    def _watch(self, phase: str) -> None:
        """Limit the time of a phase of the current request: head, body, or none."""
        if self._phase == (self._requests, phase):
            return
        self._phase = (self._requests, phase)
        self._cancel("phase")
        if phase == "head":
            self._start("phase", self._bounds.head_seconds, self._on_late_head)
        elif phase == "body":
            self._start("phase", self._bounds.body_seconds, self._on_late_body)

    def _on_late_head(self) -> None:
        if self._has_request:
            # The answer before this head is still on its way.
            self._start("phase", self._bounds.head_seconds, self._on_late_head)
        elif self.transport is not None and self._undelivered:
            self._refuse(HEAD_LATE)
        else:
            HTTP_REFUSED.labels(reason=HEAD_LATE.slug).inc()
            self._socket.abort()

    def _on_late_body(self) -> None:
        """Refuse a body that is slower than the least rate. While we do not read it, its time stands still."""
        if self.flow.read_paused:
            self._body_began, self._body_bytes = self.loop.time(), 0
        allowed = self._bounds.body_seconds + self._body_bytes / BODY_BYTES_A_SECOND
        left = self._body_began + allowed - self.loop.time()
        if left > 0:
            self._start("phase", left, self._on_late_body)
        else:
            self._refuse(BODY_LATE)

    def _stop(self, refusal: Refusal) -> NoReturn:
        self._refusal = refusal
        raise _Stopped
