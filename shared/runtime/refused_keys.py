"""Refused keys and tokens: logged by source, and slowed by source. A key itself is never logged."""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable

from shared.runtime.log import get_logger
from shared.runtime.metrics import KEYS_REFUSED

#: Refusals of a source at once, and then in a second, before it is slowed.
BURST = 20
A_SECOND = 1.0
#: Sources that are remembered. The source that was refused longest ago is forgotten first.
_MOST_SOURCES = 10_000
#: Lines in the log at once, and then in a second, about all sources.
_LINES = 100
_LINES_A_SECOND = 5.0
#: Addresses of an IPv6 network of this size belong to the same source: one customer of a provider has at least so many.
_IPV6_PREFIX = 64
_log = get_logger(__name__)


class _Meter:
    """A rate with a burst, as a single number: the time at which everything counted is paid off."""

    def __init__(self, burst: float, a_second: float) -> None:
        self._debt_seconds = burst / a_second
        self._seconds = 1 / a_second
        self._paid_at = 0.0

    def wait(self, now: float) -> float:
        """Return the seconds until a further event is within the rate; 0 if it is now."""
        return max(0.0, max(self._paid_at, now) + self._seconds - now - self._debt_seconds)

    def count(self, now: float) -> None:
        """Count an event."""
        self._paid_at = max(self._paid_at, now) + self._seconds


class RefusalsBySource:
    """Refusals of keys by source, in this process and in memory.

    A slowed source is a source with more refusals than its rate. It is for the caller to decide what it denies to a
    slowed source; a right key is never denied (ADR 0048).
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._sources: OrderedDict[str, _Meter] = OrderedDict()
        self._lines = _Meter(_LINES, _LINES_A_SECOND)

    def wait(self, address: str) -> float:
        """Return the seconds for which a source is slowed; 0 if it is not."""
        meter = self._sources.get(source_of(address))
        return meter.wait(self._now()) if meter else 0.0

    def refuse(self, address: str, reason: str, key_id: str = "", operator_id: str = "") -> None:
        """Count and log a refusal.

        `key_id` is the beginning of a hash of the key; `operator_id` is the operator, if there is one by this id.
        """
        KEYS_REFUSED.labels(reason=reason).inc()
        source, now = source_of(address), self._now()
        meter = self._sources.pop(source, None) or _Meter(BURST, A_SECOND)
        self._sources[source] = meter
        if len(self._sources) > _MOST_SOURCES:
            self._sources.popitem(last=False)
        if meter.wait(now):
            return
        meter.count(now)
        if not self._lines.wait(now):
            self._lines.count(now)
            slowed = meter.wait(now) > 0
            _log.warning(
                "key_refused", source=source, reason=reason, key_id=key_id, operator=operator_id, is_slowed=slowed
            )


def source_of(address: str) -> str:
    """Return the source of an address: itself, or its network with IPv6; `unknown` for a text that is no address."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed.packed, _IPV6_PREFIX), strict=False))
