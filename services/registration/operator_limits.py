"""The limits of all operators: the settings, changed by the record of the operator."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping

from services.registration.domain.limits import OperatorLimits
from services.registration.ports import OperatorOverrides

_MOST_CACHED = 10_000


class NoOverrides:
    """No operator has limits of its own."""

    async def limits(self, operator_id: str) -> Mapping[str, float]:  # noqa: ARG002 - the same for all operators
        """Return no limits."""
        return {}


class OperatorLimitsBook:
    """Finds the limits of an operator. They are cached for `cache_seconds`."""

    def __init__(
        self,
        overrides: OperatorOverrides,
        defaults: OperatorLimits,
        cache_seconds: float,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._overrides, self._defaults, self._cache_seconds, self._now = overrides, defaults, cache_seconds, now
        self._cache: dict[str, tuple[float, OperatorLimits]] = {}

    async def of(self, operator_id: str) -> OperatorLimits:
        """Return the limits of an operator that exists."""
        limits = self.known(operator_id)
        if limits is None:
            limits = self._defaults.changed(await self._overrides.limits(operator_id))
            if len(self._cache) >= _MOST_CACHED:
                self._cache.clear()
            self._cache[operator_id] = (self._now() + self._cache_seconds, limits)
        return limits

    def known(self, operator_id: str) -> OperatorLimits | None:
        """Return the limits of an operator if they are in the cache."""
        expires, limits = self._cache.get(operator_id, (-math.inf, None))
        return limits if expires > self._now() else None
