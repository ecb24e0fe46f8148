"""Trace context (W3C Trace Context), carried from an input to all events that it causes."""

from __future__ import annotations

import re
import secrets
from contextvars import ContextVar

TRACEPARENT = "traceparent"
_FORMAT = re.compile(r"00-(?P<trace>[0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
_current: ContextVar[str | None] = ContextVar("traceparent", default=None)


def follow(traceparent: str | None) -> None:
    """Continue the trace of an input. Without a valid `traceparent`, start a new trace."""
    _current.set(traceparent if traceparent and _FORMAT.fullmatch(traceparent) else None)


def child() -> str:
    """Return a `traceparent` for an outgoing event: the same trace, a new span."""
    match = _FORMAT.fullmatch(_current.get() or "")
    trace = match["trace"] if match else secrets.token_hex(16)
    return f"00-{trace}-{secrets.token_hex(8)}-01"
