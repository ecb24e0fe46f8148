"""A minute of chaos: faults of all kinds under a small load on three brokers of Apache Kafka, then the audit."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from tests.chaos.run import ChaosOptions, run

pytestmark = [pytest.mark.e2e, pytest.mark.kafka, pytest.mark.apache_kafka, pytest.mark.timeout(900)]
#: Its first faults are a wrong clock of notify and a killed broker, which cannot be skipped.
SEED = 3677


async def test_a_minute_of_chaos_violates_nothing(tmp_path: Path) -> None:
    said = io.StringIO()
    options = ChaosOptions(seconds=60, seed=SEED, editions=2, scale=0.08, recovery=False, output=tmp_path)
    report = await run(options, Console(file=said, width=160))

    assert list(report.violations) == [], said.getvalue()
    assert sum(report.faults.values()) >= 10
    assert {"clock", "broker"} <= report.faults.keys()
    assert int(report.figures["HTTP writes accepted"]) >= 50
    assert int(report.figures["dead letters"]) >= int(report.figures["poison planted"]) > 0
