"""Labels of metrics by operator: few series, and the busiest operators have them."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry, Counter

from shared.runtime.top_labels import OTHER, TopLabels


class Calls:
    """Counts calls of operators under labels of at most two operators."""

    def __init__(self, most: int = 2) -> None:
        self.now = 0.0
        self.metric = Counter("calls", "Calls.", ("operator", "outcome"), registry=CollectorRegistry())
        self._labels = TopLabels(most, [self.metric], lambda: self.now)

    def call(self, operator_id: str, times: int = 1) -> str:
        for _ in range(times):
            label = self._labels.count(operator_id)
            self.metric.labels(operator=label, outcome="admitted").inc()
        return label

    def series(self) -> dict[str, float]:
        samples = (sample for metric in self.metric.collect() for sample in metric.samples)
        return {sample.labels["operator"]: sample.value for sample in samples if sample.name == "calls_total"}


def test_operators_beyond_the_most_share_a_series() -> None:
    calls = Calls()
    for number in range(1_000):
        calls.call(f"op{number}")
    assert calls.series().keys() == {"op0", "op1", OTHER}
    assert calls.series()[OTHER] == 998


def test_a_much_busier_operator_takes_over_the_series_of_the_least_busy() -> None:
    calls = Calls()
    calls.call("first", 10)
    calls.call("second", 3)
    assert [calls.call("busy") for _ in range(7)] == [OTHER] * 6 + ["busy"]
    assert calls.series() == {"first": 10, OTHER: 6, "busy": 1}


def test_activity_of_the_past_fades() -> None:
    calls = Calls()
    calls.call("first", 100)
    calls.call("second", 100)
    calls.now += 6_000
    assert calls.call("third") == "third"


@pytest.mark.parametrize("most", [0, 1])
def test_an_operator_named_other_takes_no_series_of_its_own(most: int) -> None:
    calls = Calls(most)
    assert calls.call(OTHER) == OTHER
    calls.call("first", 100)
    assert OTHER in calls.series()


def test_few_operators_are_remembered() -> None:
    calls = Calls()
    for number in range(10_000):
        calls.call(f"op{number}")
    assert len(calls._labels._activity) <= 101
