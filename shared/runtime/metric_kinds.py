"""Kinds of metrics, each documented where it is declared."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics

# A `_created` series for each counter and histogram doubles what Prometheus stores, and no query needs it.
disable_created_metrics()  # type: ignore[no-untyped-call]

#: Buckets of latencies, in seconds.
LATENCY = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


@dataclass(frozen=True)
class MetricDescription:
    """The documentation of a metric."""

    name: str
    kind: str
    labels: tuple[str, ...]
    means: str
    action: str


#: The documentation of all declared metrics.
METRICS: list[MetricDescription] = []


def _describe(name: str, kind: str, labels: tuple[str, ...], means: str, action: str) -> str:
    METRICS.append(MetricDescription(name, kind, labels, means, action))
    return means


def counter(name: str, means: str, do: str, *labels: str) -> Counter:
    """Declare a counter: its meaning, and the action of an operator."""
    return Counter(name, _describe(name, "counter", labels, means, do), labels)


def gauge(name: str, means: str, do: str, *labels: str) -> Gauge:
    """Declare a gauge, as a counter."""
    return Gauge(name, _describe(name, "gauge", labels, means, do), labels)


def histogram(name: str, means: str, do: str, *labels: str, buckets: tuple[float, ...] = LATENCY) -> Histogram:
    """Declare a histogram, as a counter; `buckets` are in seconds."""
    return Histogram(name, _describe(name, "histogram", labels, means, do), labels, buckets=buckets)


def begin_series(metric: Counter, **values: Iterable[str]) -> None:
    """Let the series of all combinations of label values begin at 0: Prometheus sees no increase in a new series."""
    for combination in product(*values.values()):
        metric.labels(**dict(zip(values, combination, strict=True)))
