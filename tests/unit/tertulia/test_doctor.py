"""Verdicts of `tertulia doctor`. That it asks real servers is in `tests/e2e/test_alerts.py`."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from aiokafka import TopicPartition
from typer.testing import CliRunner

from tertulia import doctor_checks
from tertulia.cli import app
from tertulia.doctor_checks import Verdict, _clock, _fence, _lag, _versions, _write_concern

ROOT = Path(__file__).parents[3]
FENCE: dict[str, Any] = {"edition_id_1_seq_1": {"key": [("edition_id", 1), ("seq", 1)], "unique": True}}


def test_a_journal_without_its_fence_is_wrong_and_a_database_without_a_journal_is_new() -> None:
    assert _fence("tertulia_matching", FENCE).verdict is Verdict.FINE
    assert _fence("tertulia_matching", {"_id_": {"key": [("_id", 1)]}}).verdict is Verdict.WRONG
    assert _fence("tertulia_matching", {}).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(("ahead", "verdict"), [(0.3, Verdict.FINE), (-3600, Verdict.WRONG), (9, Verdict.WRONG)])
def test_a_clock_far_from_the_database_s_is_wrong(ahead: float, verdict: Verdict) -> None:
    assert _clock(ahead).verdict is verdict


def test_writes_that_one_node_acknowledges_are_wrong() -> None:
    assert _write_concern({"w": 1}, {"setName": "rs0"}).verdict is Verdict.WRONG
    assert _write_concern({"w": "majority"}, {"setName": "rs0"}).detail == "majority of rs0"


def test_the_worst_partition_of_a_group_that_is_behind_is_named() -> None:
    ends = {TopicPartition("agenda.v1", 0): 10, TopicPartition("agenda.v1", 1): 5000}
    behind = _lag("notify", ends, dict.fromkeys(ends, 10))
    assert behind.verdict is Verdict.WRONG
    assert behind.detail == "tertulia-notify: 4990 records behind, 4990 of them in agenda.v1/1"
    assert _lag("notify", ends, ends).verdict is Verdict.FINE


def test_the_version_of_a_service_is_read_from_its_metrics() -> None:
    assert _versions(['tertulia_build_info{python="3.11.2",version="0.1.0"} 1.0', "up 1"]) == {"0.1.0"}


def test_without_servers_the_doctor_names_each_with_a_runbook_and_exits_1(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TERTULIA_KAFKA_BOOTSTRAP", "TERTULIA_MONGO_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERTULIA_KAFKA_BOOTSTRAP", "127.0.0.1:9")
    monkeypatch.setenv("TERTULIA_MONGO_URL", "mongodb://user:secret@127.0.0.1:9")
    monkeypatch.setenv("TERTULIA_SMTP_PORT", "9")
    monkeypatch.setattr(doctor_checks, "_ANSWER_SECONDS", 0.2)
    result = CliRunner().invoke(app, ["doctor", "--json"])
    found = json.loads(result.stdout)
    assert result.exit_code == 1
    assert {finding["part"] for finding in found if finding["verdict"] == "wrong"} >= {"database", "broker", "relay"}
    assert "secret" not in result.stdout
    for finding in found:
        if finding["verdict"] == "wrong":
            assert (ROOT / finding["runbook"]).exists()


def test_every_page_that_the_doctor_names_exists() -> None:
    source = (ROOT / "tertulia/doctor_checks.py").read_text()
    pages = re.findall(r'wrong\((?:[^()]|\([^()]*\))*?"([a-z-]+)",?\s*\)', source)
    assert len(pages) > 5
    for page in pages:
        assert (ROOT / f"deploy/runbooks/{page}.md").exists(), page
