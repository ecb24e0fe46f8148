"""Metrics, alerts, panels and runbooks refer to each other, and the committed files are what the code makes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from deploy import made
from deploy.monitoring.dashboards import alerts_of, metrics_in
from deploy.monitoring.panels import boards
from deploy.monitoring.rules import Alert, alerts, recorded
from shared.runtime.metrics import METRICS

ROOT = Path(__file__).parents[4]
ALERTS = {alert.name: alert for alert in alerts()}
DECLARED = {metric.name for metric in METRICS}
#: Metrics of Prometheus itself and of its client.
FOREIGN = {"up", "process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds", "ALERTS"}
QUERIES = [query for board in boards() for panel in board.panels() for query, _ in panel.queries]


def runbook_of(alert: Alert) -> str:
    return (ROOT / alert.runbook).read_text()


def test_the_made_files_are_what_the_code_makes() -> None:
    assert made.drifted() == [], "run 'python -m deploy'"


def test_every_metric_is_on_a_panel() -> None:
    assert DECLARED - set().union(*(metrics_in(query) for query in QUERIES)) == set()


def test_alerts_and_panels_use_metrics_that_exist() -> None:
    for query in [*QUERIES, *(alert.query for alert in ALERTS.values())]:
        unknown = {name for name in metrics_in(query) if ":" not in name} - DECLARED - FOREIGN
        assert unknown == set(), query
        assert {name for name in metrics_in(query) if ":" in name} <= set(recorded())


@pytest.mark.parametrize(
    "alert", [alert for alert in ALERTS.values() if alert.name != "Watchdog"], ids=lambda a: a.name
)
def test_what_an_alert_looks_at_is_on_a_panel_that_names_its_runbook(alert: Alert) -> None:
    panels = [panel for board in boards() for panel in board.panels() if alert in alerts_of(panel, [alert])]
    assert panels
    looked_at = {name for name in metrics_in(alert.query) if ":" not in name}
    assert looked_at <= set().union(*(metrics_in(query) for query in QUERIES))


@pytest.mark.parametrize("alert", ALERTS.values(), ids=lambda alert: alert.name)
def test_an_alert_has_a_runbook_that_names_it_and_a_dashboard(alert: Alert) -> None:
    text = runbook_of(alert)
    assert f"`{alert.name}` ({alert.severity})" in text
    assert alert.feels in text
    for heading in ("## See more", "## Do", "## Undo"):
        assert heading in text
    titles = {board.title for board in boards()}
    shown = [title for title in titles if f"*{title}*" in text]
    assert shown or alert.name == "Watchdog"


@pytest.mark.parametrize("page", sorted((ROOT / "deploy/runbooks").glob("*.md")), ids=lambda page: page.stem)
def test_a_runbook_names_alerts_panels_and_commands_that_exist(page: Path) -> None:
    text = page.read_text()
    named = re.findall(r"`(\w+)` \((?:page|ticket|none)\)", text)
    assert named
    assert {name for name in named if ALERTS[name].runbook != f"deploy/runbooks/{page.name}"} == set()
    titles = {panel.title for board in boards() for panel in board.panels()}
    rows = {row for board in boards() for row in board.rows}
    for line in text.splitlines():
        for several in re.findall(r"panels? ((?:\*[^*]+\*(?:, | and )?)+)", line):
            assert set(re.findall(r"\*([^*]+)\*", several)) <= titles
        for row in re.findall(r"row \*([^*]+)\*", line):
            assert row in rows
    for name in re.findall(r"TERTULIA_[A-Z_]+", text):
        assert name in (ROOT / "docs/settings.md").read_text() or name == "TERTULIA_"
    for link in re.findall(r"\]\(([^)#]+\.md)", text):
        assert (page.parent / link).exists()
