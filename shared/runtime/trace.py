"""Trace context (W3C Trace Context) and request id, carried from an input to all events and log lines it causes."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from contextvars import ContextVar

TRACEPARENT = "traceparent"
REQUEST_ID = "x-request-id"
_FORMAT = re.compile(r"00-(?P<trace>[0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_current: ContextVar[str | None] = ContextVar("traceparent", default=None)
_request: ContextVar[str | None] = ContextVar("request_id", default=None)


def follow(traceparent: str | None) -> None:
    """Continue the trace of an input. Without a valid `traceparent`, start a new trace."""
    _current.set(traceparent if traceparent and _FORMAT.fullmatch(traceparent) else None)


def follow_request(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """Continue trace and request of HTTP headers, or start both; return the request id."""
    values = {name.lower(): value.decode("latin-1") for name, value in headers}
    follow(values.get(TRACEPARENT.encode()))
    if trace_id() is None:
        follow(child())
    known = values.get(REQUEST_ID.encode(), "")
    request = known if _REQUEST_ID.fullmatch(known) else secrets.token_hex(8)
    _request.set(request)
    return request


def request_headers() -> dict[str, str]:
    """Return the headers of a request to another service: the same trace and request id."""
    request = request_id()
    return {TRACEPARENT: child()} | ({REQUEST_ID: request} if request else {})


def request_id() -> str | None:
    """Return the id of the HTTP request that is answered; None without a request."""
    return _request.get()


def trace_id() -> str | None:
    """Return the id of the trace that is followed; None without a trace."""
    match = _FORMAT.fullmatch(_current.get() or "")
    return match["trace"] if match else None


def child() -> str:
    """Return a `traceparent` for an outgoing event: the same trace, a new span."""
    return f"00-{trace_id() or secrets.token_hex(16)}-{secrets.token_hex(8)}-01"
