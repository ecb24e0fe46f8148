"""The table of the benchmark of neighbours: medians of the runs, beside the limits."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from bench.neighbours.small_edition import LIST, MEASURES
from bench.neighbours.stage import Measurement
from bench.neighbours.table import ALONE, Results, percentiles


def measured(seconds: Sequence[float], **answers: int) -> Measurement:
    return Measurement({measure: list(seconds) for measure in MEASURES}, answers)


def test_percentiles_are_samples() -> None:
    assert percentiles([number / 100 for number in range(100)]) == (0.5, 0.99)
    assert percentiles([0.3]) == (0.3, 0.3)


@pytest.mark.parametrize(("beside", "holds"), [(0.045, "yes"), (0.055, "NO")])
def test_a_read_may_take_twice_as_long_or_50_ms(beside: float, holds: str) -> None:
    results = Results(patience_seconds=20)
    results.add("motor", ALONE, measured([0.01]))
    results.add("motor", "import", measured([beside]))
    rows = {(row["beside"], row["measure"]): row for row in results.rows() if "measure" in row}
    assert rows[ALONE, LIST]["holds"] == "-"
    assert rows["import", LIST]["holds"] == holds
    assert rows["import", LIST]["limit ms"] == 50


def test_figures_are_the_medians_of_the_runs_and_lost_samples_are_counted() -> None:
    results = Results(patience_seconds=20)
    for seconds in (0.1, 20, 0.3):
        results.add("motor", ALONE, measured([seconds]))
    row = next(results.rows())
    assert (row["p50 ms"], row["p99 ms"], row["lost"]) == (300, 300, 1)


def test_the_answers_to_an_abuse_are_summed_over_the_runs() -> None:
    results = Results(patience_seconds=20)
    results.add("motor", ALONE, measured([0.1]))
    for _ in range(2):
        results.add("motor", "import", measured([0.1], **{"200": 1, "429": 2}))
    results.add_not_served("motor", "import")
    *_, row = results.rows()
    assert row == {
        "driver": "motor",
        "abuse": "import",
        "answers by status": "200: 2, 429: 4",
        "not served afterwards": 1,
    }
