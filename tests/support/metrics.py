"""Values of metrics. `tests/unit/shared/runtime/test_metrics.py` demands an assertion on each metric."""

from __future__ import annotations

from prometheus_client.metrics import MetricWrapperBase


def metric_value(metric: MetricWrapperBase, **labels: str) -> float:
    """Return the value of a counter or gauge, or the number of observations of a histogram; 0 before the first."""
    [family] = metric.collect()
    suffix = {"counter": "_total", "gauge": "", "histogram": "_count"}[family.type]
    values = [s.value for s in family.samples if s.name == family.name + suffix and s.labels == labels]
    return values[0] if values else 0.0


class MetricDelta:
    """The change of a metric since this object was created: metrics are shared by all tests of a process."""

    def __init__(self, metric: MetricWrapperBase, **labels: str) -> None:
        self._metric = metric
        self._labels = labels
        self._before = metric_value(metric, **labels)

    @property
    def value(self) -> float:
        """The change of the counter, the gauge or the number of observations."""
        return metric_value(self._metric, **self._labels) - self._before
