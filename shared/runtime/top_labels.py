"""Metrics by operator with few series: the busiest operators have series, and the rest share a series."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from typing import Final

from prometheus_client import Counter

OTHER: Final = "other"
_HALF_LIFE_SECONDS = 600.0
#: An operator takes over the series of another operator if it is so many times as busy.
_BUSIER = 2.0
#: Operators whose activity is remembered, for each operator that has series.
_REMEMBERED = 50


class TopLabels:
    """The values of the label `operator`: at most `most` operators, and a value for the rest.

    Activity is a number of calls with a half-life of ten minutes. An operator that is much busier than the least busy
    operator with series takes over its place; the series of that operator end.
    """

    def __init__(self, most: int, metrics: Iterable[Counter], now: Callable[[], float] = time.monotonic) -> None:
        self._most, self._metrics, self._now = most, tuple(metrics), now
        self._labelled: set[str] = set()
        #: Activity, and the time to which it has decayed.
        self._activity: dict[str, tuple[float, float]] = {}

    def count(self, operator_id: str) -> str:
        """Count a call of an operator, and return its label."""
        if operator_id == OTHER:  # an operator of this name
            return OTHER
        now = self._now()
        activity = self._decayed(operator_id, now) + 1
        if operator_id not in self._activity and len(self._activity) >= self._most * _REMEMBERED:
            self._forget(now)
        self._activity[operator_id] = activity, now
        if operator_id in self._labelled:
            return operator_id
        if len(self._labelled) >= self._most:
            least = min(self._labelled, key=lambda labelled: self._decayed(labelled, now), default="")
            if not least or activity <= _BUSIER * self._decayed(least, now):
                return OTHER
            self._end_series(least)
        self._labelled.add(operator_id)
        return operator_id

    def _decayed(self, operator_id: str, now: float) -> float:
        activity, at = self._activity.get(operator_id, (0.0, now))
        return activity * math.exp2((at - now) / _HALF_LIFE_SECONDS)

    def _end_series(self, operator_id: str) -> None:
        self._labelled.remove(operator_id)
        for metric in self._metrics:
            metric.remove_by_labels({"operator": operator_id})

    def _forget(self, now: float) -> None:
        """Forget the less busy half of the operators without series."""
        unlabelled = sorted(self._activity.keys() - self._labelled, key=lambda operator: self._decayed(operator, now))
        for operator_id in unlabelled[: len(unlabelled) // 2 + 1]:
            del self._activity[operator_id]
