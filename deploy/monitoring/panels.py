"""The panels of the dashboards: titles, units and queries. A panel's description follows from the metrics it shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from deploy.monitoring.objectives import objectives

#: Time over which rates are taken. Four scrapes or more lie within.
_RATE = "2m"


@dataclass(frozen=True)
class Panel:
    """A panel of a dashboard: its queries, with the legends of their series."""

    title: str
    queries: tuple[tuple[str, str], ...]
    unit: str = "short"


@dataclass(frozen=True)
class DashboardPlan:
    """A dashboard: its rows of panels by title."""

    uid: str
    title: str
    rows: dict[str, tuple[Panel, ...]]

    def panels(self) -> Iterator[Panel]:
        """Yield the panels of all rows."""
        for panels in self.rows.values():
            yield from panels


def _rate(metric: str, *by: str) -> tuple[str, str]:
    return f"sum by ({', '.join(by)}) (rate({metric}[{_RATE}]))", _legend(by)


def _gauge(metric: str, *by: str, of: str = "max") -> tuple[str, str]:
    return f"{of} by ({', '.join(by)}) ({metric})", _legend(by)


def _quantile(metric: str, share: float, *by: str) -> tuple[str, str]:
    query = f"histogram_quantile({share}, sum by ({', '.join((*by, 'le'))}) (rate({metric}_bucket[{_RATE}])))"
    return query, f"p{share * 100:g} {_legend(by)}".strip()


def _quantiles(title: str, metric: str, *by: str, unit: str = "s") -> Panel:
    return Panel(title, (_quantile(metric, 0.5, *by), _quantile(metric, 0.99, *by)), unit)


def _legend(by: tuple[str, ...]) -> str:
    return " ".join(f"{{{{{label}}}}}" for label in by)


@cache
def boards() -> list[DashboardPlan]:
    """Return all dashboards."""
    return [_promises(), _PIPELINE, _KAFKA, _MATCHING, _SCHEDULER, _MAIL, _WEBHOOKS, _HTTP, _PROCESSES]


def _promises() -> DashboardPlan:
    rows = {
        objective.title: (
            Panel("Budget left, 28 days", ((f'slo:budget_left:28d{{slo="{objective.name}"}}', "left"),), "percentunit"),
            Panel(
                "Share of bad events or time",
                tuple(
                    (f'slo:error_ratio:{window}{{slo="{objective.name}"}}', window)
                    for window in ("5m", "1h", "6h", "3d")
                ),
                "percentunit",
            ),
        )
        for objective in objectives()
    }
    firing = Panel(
        "Alerts that fire", (('sum by (alertname, severity) (ALERTS{alertstate="firing"})', "{{alertname}}"),)
    )
    answering = Panel("Processes that answer", (('sum by (service) (up{job="tertulia"})', "{{service}}"),))
    missing = Panel("Missing parts", (_gauge("tertulia_part_missing", "service", "part", of="sum"),))
    return DashboardPlan("tertulia-promises", "Tertulia: promises", {"Now": (firing, answering, missing), **rows})


_OF_SERVICE = '{service="$service"}'
_SLOWEST, _ = _quantile("tertulia_http_request_seconds", 0.99, "service", "method", "route")
_MOVES = (
    f'(sum(rate(tertulia_encounters_total{{state="moved"}}[{_RATE}])) or vector(0)) '
    f"/ sum(rate(tertulia_decision_seconds_count[{_RATE}]))"
)
_LOOP_LAG = (
    "histogram_quantile(0.99, sum by (instance, le) "
    f"(rate(tertulia_event_loop_lag_seconds_bucket{_OF_SERVICE}[{_RATE}])))"
)
_PIPELINE = DashboardPlan(
    "tertulia-pipeline",
    "Tertulia: from a request to a mail",
    {
        "On the way": (
            Panel("Oldest unhandled record", (_gauge("tertulia_unhandled_seconds", "service", "topic"),), "s"),
            _quantiles("Age of a record when it was handled", "tertulia_freshness_seconds", "service", "topic"),
            Panel("Records that wait", (_gauge("tertulia_consumer_lag_records", "service", "topic", of="sum"),)),
            Panel("Records handled", (_rate("tertulia_records_total", "service", "topic", "outcome"),), "ops"),
            Panel("Repeats dropped", (_rate("tertulia_repeats_dropped_total", "service"),), "ops"),
            _quantiles("Time of a batch", "tertulia_batch_seconds", "service"),
        ),
        "In memory": (
            Panel("Editions at work", (_gauge("tertulia_lanes", "service", of="sum"),)),
            Panel("Open records", (_gauge("tertulia_open_records", "service", of="sum"),)),
            Panel("Oldest open record", (_gauge("tertulia_oldest_open_seconds", "service"),), "s"),
        ),
        "Written and sent": (
            Panel("Journal entries", (_rate("tertulia_journal_entries_total", "service"),), "ops"),
            Panel("Events sent", (_rate("tertulia_published_total", "service", "topic"),), "ops"),
            Panel("Unsent documents", (_gauge("tertulia_unsent", "service", "store"),)),
            Panel("Oldest unsent document", (_gauge("tertulia_oldest_unsent_seconds", "service", "store"),), "s"),
            Panel("Outboxes swept", (_rate("tertulia_swept_total", "service"),), "ops"),
        ),
    },
)
_KAFKA = DashboardPlan(
    "tertulia-kafka",
    "Tertulia: Kafka and faults of records",
    {
        "The broker": (
            Panel("Silence of the broker", (_gauge("tertulia_broker_silent_seconds", "service"),), "s"),
            Panel("Assignments of partitions", (_rate("tertulia_rebalances_total", "service"),), "ops"),
            Panel("Writes refused by the fence", (_rate("tertulia_fence_rejections_total", "service"),), "ops"),
        ),
        "Faults": (
            Panel(
                "Dead letters",
                (
                    (
                        'sum by (service, topic) (increase(tertulia_records_total{outcome="dead_lettered"}[10m]))',
                        "{{service}} {{topic}}",
                    ),
                ),
            ),
            Panel("Held operators", (_gauge("tertulia_dead_letter_stop", "service"),)),
            Panel("Refused records", (_rate("tertulia_records_refused_total", "service", "topic", "reason"),), "ops"),
            Panel("Waits before another try", (_rate("tertulia_retries_total", "service", "error"),), "ops"),
        ),
    },
)
_MATCHING = DashboardPlan(
    "tertulia-matching",
    "Tertulia: matching",
    {
        "Scores": (
            Panel("Affinities published", (_rate("tertulia_pairs_scored_total", "consent"),), "ops"),
            Panel(
                "Batches without their version", (_rate("tertulia_missing_affinity_versions_total", "service"),), "ops"
            ),
        )
    },
)
_SCHEDULER = DashboardPlan(
    "tertulia-scheduler",
    "Tertulia: scheduler",
    {
        "Decisions": (
            _quantiles("Time of a decision", "tertulia_decision_seconds"),
            Panel("Encounters published", (_rate("tertulia_encounters_total", "state"),), "ops"),
            Panel(
                "Encounters that begin to wait, by reason",
                (
                    (
                        f'sum by (reason) (rate(tertulia_encounters_total{{state="waiting"}}[{_RATE}]))',
                        "{{reason}}",
                    ),
                ),
                "ops",
            ),
            Panel(
                "Moves a decision",
                ((_MOVES, "moves"),),
            ),
            Panel("Agendas rejected by the verifier", (_rate("tertulia_verifier_rejections_total", "service"),), "ops"),
        ),
        "Improvements": (
            Panel("Improvements", (_rate("tertulia_improvements_total", "outcome"),), "ops"),
            _quantiles("Time of an improvement", "tertulia_improve_seconds"),
            _quantiles("Gap to the proven bound", "tertulia_agenda_gap", unit="percentunit"),
        ),
    },
)
_MAIL = DashboardPlan(
    "tertulia-mail",
    "Tertulia: mail",
    {
        "Mails": (
            Panel("Mails", (_rate("tertulia_deliveries_total", "kind", "state"),), "ops"),
            Panel("Attempts without an accepted mail", (_rate("tertulia_delivery_errors_total", "kind"),), "ops"),
            _quantiles("From a change to its mail", "tertulia_delivery_delay_seconds"),
            _quantiles("Later than the window", "tertulia_delivery_late_seconds"),
        ),
        "Owed": (
            Panel("Mails that wait", (_gauge("tertulia_deliveries_waiting"),)),
            Panel("Oldest owed change", (_gauge("tertulia_deliveries_oldest_seconds"),), "s"),
            Panel("Overdue", (_gauge("tertulia_deliveries_overdue_seconds"),), "s"),
            Panel("Unconfirmed mails", (_gauge("tertulia_deliveries_in_doubt"),)),
        ),
    },
)
_WEBHOOKS = DashboardPlan(
    "tertulia-webhooks",
    "Tertulia: webhooks",
    {
        "Messages": (
            Panel("Tries", (_rate("tertulia_webhook_tries_total", "outcome"),), "ops"),
            _quantiles("From an event to its delivery", "tertulia_webhook_delay_seconds"),
            _quantiles("Time of a try", "tertulia_webhook_try_seconds"),
        ),
        "Receivers": (
            Panel("Open messages", (_gauge("tertulia_webhook_open"),)),
            Panel("Failing webhooks", (_gauge("tertulia_webhooks_failing", of="sum"),)),
            Panel("Disabled webhooks", (_rate("tertulia_webhooks_disabled_total", "reason"),), "ops"),
        ),
    },
)
_HTTP = DashboardPlan(
    "tertulia-http",
    "Tertulia: HTTP",
    {
        "Requests": (
            Panel("Requests", (_rate("tertulia_http_request_seconds_count", "service", "status"),), "ops"),
            _quantiles("Time to an answer", "tertulia_http_request_seconds", "service"),
            Panel(
                "Slowest routes",
                (
                    (
                        f"topk(10, {_SLOWEST})",
                        "{{service}} {{method}} {{route}}",
                    ),
                ),
                "s",
            ),
        ),
        "Refusals": (
            Panel("Refused keys", (_rate("tertulia_keys_refused_total", "service", "reason"),), "ops"),
            Panel(
                "Requests that the server refused", (_rate("tertulia_http_refused_total", "service", "reason"),), "ops"
            ),
            Panel("Calls of operators", (_rate("tertulia_operator_calls_total", "operator", "outcome"),), "ops"),
            Panel("Time spent on operators", (_rate("tertulia_operator_seconds_total", "operator"),), "percentunit"),
        ),
    },
)
_PROCESSES = DashboardPlan(
    "tertulia-service",
    "Tertulia: one service",
    {
        "Processes": (
            Panel("Answers", (('up{job="tertulia",service="$service"}', "{{instance}}"),)),
            Panel("Versions", (_gauge(f"tertulia_build_info{_OF_SERVICE}", "version", "python", of="count"),)),
            Panel(
                "Delay of the event loop",
                ((_LOOP_LAG, "p99 {{instance}}"),),
                "s",
            ),
            Panel("CPU", ((f"rate(process_cpu_seconds_total{_OF_SERVICE}[{_RATE}])", "{{instance}}"),), "percentunit"),
            Panel("Memory", ((f"process_resident_memory_bytes{_OF_SERVICE}", "{{instance}}"),), "bytes"),
            Panel("Open files", ((f"process_open_fds{_OF_SERVICE}", "{{instance}}"),)),
        )
    },
)
