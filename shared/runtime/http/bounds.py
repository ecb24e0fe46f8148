"""Bounds of a port: sizes and times of a request, and the number of connections."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Protocol

from shared.runtime.http.refusals import Refusal

#: Largest head of a request in bytes, and the most fields in it. The trailer of a chunked body counts alike.
HEAD_BYTES = 64 * 1024
HEAD_FIELDS = 200


class Evictable(Protocol):
    """A connection that can be cut off."""

    def cut(self) -> None:
        """Close the connection at once, without an answer."""
        ...


@dataclass
class Bounds:
    """Limits of a port, and its connections that wait for a request.

    A waiting connection costs its client nothing, so it is the first to go: at the limit, the connection that has
    waited longest makes room for a new connection. Half requests therefore never keep whole requests out.
    """

    #: Most connections at once.
    connections: int
    #: Time for the head of a request, in seconds. A TLS handshake is part of the first head.
    head_seconds: float
    #: Time for the body of a request, in seconds, besides a second for each `BODY_BYTES_A_SECOND` that have arrived.
    body_seconds: float
    _open: set[Evictable] = field(default_factory=set)
    _waiting: dict[Evictable, None] = field(default_factory=dict)

    def admit(self, connection: Evictable) -> bool:
        """Count a new connection. Returns False if every open connection has a request in hand: refuse it."""
        if len(self._open) >= self.connections:
            longest = next(iter(self._waiting), None)
            if longest is None:
                return False
            self.leave(longest)
            longest.cut()
        self._open.add(connection)
        self._waiting[connection] = None
        return True

    def wait(self, connection: Evictable) -> None:
        """Note that the request of a connection has been answered."""
        if connection in self._open:
            self._waiting[connection] = None

    def work(self, connection: Evictable) -> None:
        """Note that a connection has a request in hand."""
        self._waiting.pop(connection, None)

    def leave(self, connection: Evictable) -> None:
        """Forget a closed connection."""
        self._open.discard(connection)
        self._waiting.pop(connection, None)


HEAD_TOO_LARGE = Refusal(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    "head-too-large",
    f"the head of a request may have {HEAD_BYTES} bytes and {HEAD_FIELDS} fields: send less in its URL and headers",
)
HEAD_LATE = Refusal(
    HTTPStatus.REQUEST_TIMEOUT, "head-late", "the head of the request did not arrive in time: send it at once"
)
BODY_LATE = Refusal(
    HTTPStatus.REQUEST_TIMEOUT, "body-late", "the body of the request did not arrive in time: send it without pauses"
)
BUSY = Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "busy", "too many requests are in progress: send this one again later")
