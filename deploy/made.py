"""The files of `deploy/` and the page of alerts, which are made from code and committed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from deploy.kubernetes import manifests
from deploy.monitoring import dashboards, rules
from deploy.monitoring.objectives import objectives

ROOT = Path(__file__).parents[1]
ALERTS_PAGE = ROOT / "docs" / "alerts.md"


def texts() -> dict[Path, str]:
    """Return the texts of the files by path."""
    return {
        rules.OBJECTIVE_RULES: rules.objective_rules(),
        **dashboards.dashboards(),
        **manifests.manifests(),
        ALERTS_PAGE: "\n".join(_alerts_page()) + "\n",
    }


def drifted() -> list[Path]:
    """Return the paths of the files that differ from the code."""
    return [path for path, text in texts().items() if not path.exists() or path.read_text(encoding="utf-8") != text]


def write(path: Path) -> None:
    """Write a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(texts()[path], encoding="utf-8")


def _alerts_page() -> Iterator[str]:
    yield "# Promises and alerts"
    yield ""
    yield "Made by `python -m deploy` from `deploy/monitoring/slo.yaml` and `deploy/monitoring/rules/`. A *page* wakes"
    yield "somebody; a *ticket* is for the next working day. Reasons: [ADR 0081](adr/0081-promises-and-alerts.md)."
    yield ""
    yield "## Promises"
    yield ""
    yield "| Promise | Kept for | Measured as |"
    yield "|---|---|---|"
    for objective in objectives():
        yield f"| {objective.title} | {1 - objective.budget:.1%} of 28 days | {objective.description} |"
    yield ""
    yield "## Alerts"
    yield ""
    yield "| Alert | Severity | People feel | Metrics | Runbook |"
    yield "|---|---|---|---|---|"
    for alert in rules.alerts():
        names = ", ".join(f"`{name}`" for name in sorted(dashboards.metrics_in(alert.query)) if ":" not in name)
        page = alert.runbook.rpartition("/")[2].removesuffix(".md")
        yield f"| {alert.name} | {alert.severity} | {alert.feels} | {names} | [{page}](../{alert.runbook}) |"
