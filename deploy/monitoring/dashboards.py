"""Dashboards for Grafana, as its JSON. A panel has the meaning of its metrics, their alerts and runbooks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from grafana_foundation_sdk.builders import common, timeseries
from grafana_foundation_sdk.builders.dashboard import Dashboard, DatasourceVariable, QueryVariable, Row
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import LegendDisplayMode, LegendPlacement
from grafana_foundation_sdk.models.dashboard import DataSourceRef, VariableRefresh

from deploy.monitoring.panels import DashboardPlan, Panel, boards
from deploy.monitoring.rules import Alert, alerts, recorded
from shared.runtime.metrics import METRICS

FOLDER = Path(__file__).parent / "dashboards"
_SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
_METRIC = re.compile(r"\b(?:tertulia_[a-z_]+|slo:[a-z_]+(?::[0-9a-z]+)?|up)\b")
_PARTS = re.compile(r"_(bucket|count|sum)$")
_WIDTH, _HEIGHT = 8, 7


def dashboards() -> dict[Path, str]:
    """Return the texts of the dashboards by path."""
    known = alerts()
    return {FOLDER / f"{board.uid}.json": _json(board, known) for board in boards()}


def metrics_in(query: str) -> set[str]:
    """Return the names of the declared metrics in a query, and of the metrics behind its recorded series."""
    names = set(_METRIC.findall(query))
    declared = {metric.name for metric in METRICS}
    found = {name if name in declared else _PARTS.sub("", name) for name in names}
    behind = recorded()
    return found.union(*(metrics_in(source) for name in names for source in behind.get(name, ())))


def alerts_of(panel: Panel, known: Iterable[Alert]) -> list[Alert]:
    """Return the alerts whose queries use a metric of the panel, or a promise that it shows."""
    shown = {name for query, _ in panel.queries for name in _names(query)}
    return [alert for alert in known if shown & _names(alert.query)]


def _names(query: str) -> set[str]:
    """Return the metrics of a query; of recorded series only the name of their promise."""
    promises = set(re.findall(r'slo="([a-z-]+)"', query))
    return promises or {_PARTS.sub("", name) for name in _METRIC.findall(query)}


def _json(board: DashboardPlan, known: list[Alert]) -> str:
    dashboard = (
        Dashboard(board.title)
        .uid(board.uid)
        .tags(["tertulia"])
        .readonly()
        .refresh("30s")
        .time("now-1h", "now")
        .timezone("utc")
        .with_variable(DatasourceVariable("datasource").label("Prometheus").type("prometheus"))
    )
    if "$service" in "".join(query for panel in board.panels() for query, _ in panel.queries):
        services = 'label_values(up{job="tertulia"}, service)'
        dashboard.with_variable(
            QueryVariable("service").query(services).datasource(_SOURCE).refresh(VariableRefresh.ON_DASHBOARD_LOAD)
        )
    for title, panels in board.rows.items():
        dashboard.with_row(Row(title))
        for panel in panels:
            dashboard.with_panel(_panel(panel, known))
    return JSONEncoder(sort_keys=True, indent=1).encode(dashboard.build()) + "\n"


def _panel(panel: Panel, known: list[Alert]) -> timeseries.Panel:
    legend = common.VizLegendOptions().display_mode(LegendDisplayMode.LIST).placement(LegendPlacement.BOTTOM)
    built = (
        timeseries.Panel()
        .title(panel.title)
        .description(_description(panel, known))
        .unit(panel.unit)
        .datasource(_SOURCE)
        .min(0)
        .legend(legend)
        .span(_WIDTH)
        .height(_HEIGHT)
    )
    for number, (query, series) in enumerate(panel.queries):
        built.with_target(Dataquery().expr(query).legend_format(series).ref_id(chr(ord("A") + number)))
    return built


def _description(panel: Panel, known: list[Alert]) -> str:
    means: Mapping[str, str] = {metric.name: f"{metric.means} {metric.action}" for metric in METRICS}
    names = sorted({_PARTS.sub("", name) for query, _ in panel.queries for name in _METRIC.findall(query)})
    lines = [f"{name}: {means[name]}" for name in names if name in means]
    lines += [f"Alert {alert.name}: {alert.runbook}" for alert in alerts_of(panel, known)]
    return "\n\n".join(lines)
