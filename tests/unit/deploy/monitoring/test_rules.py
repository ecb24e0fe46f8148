"""Each alert fires in its case and is silent in another, judged by promtool; Alertmanager's own tool reads its file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from deploy.monitoring.objectives import Objective, objectives
from deploy.monitoring.rules import FOLDER, alerts
from services import SERVICES
from tests.support.outside import checked

CASES: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "fault_cases.yaml").read_text())
ROOT = Path(__file__).parents[4]


@dataclass(frozen=True)
class Case:
    """Series of values, and an alert that fires at a time with some labels, or is silent (`fires` is None)."""

    alert: str
    at: str
    series: Mapping[str, str]
    fires: Mapping[str, str] | None

    @property
    def metrics(self) -> set[str]:
        return {name.partition("{")[0] for name in self.series}

    def expectation(self) -> dict[str, Any]:
        labels = "".join(f',{name}="{value}"' for name, value in (self.fires or {}).items())
        expected = [{"labels": f'{{alertname="{self.alert}"}}', "value": 1}] if self.fires is not None else []
        query = f'count by (alertname) (ALERTS{{alertname=~"{self.alert}",alertstate="firing"{labels}}})'
        return {"expr": query, "eval_time": self.at, "exp_samples": expected}


def run(cases: Iterable[Case], folder: Path, rules: str = "faults.yml", interval: str = "15s") -> None:
    """Run cases with promtool. Cases without a metric in common share a database, which takes long to make."""
    shared: list[list[Case]] = []
    for case in cases:
        together = next((group for group in shared if not any(case.metrics & known.metrics for known in group)), None)
        if together is None:
            shared.append([case])
        else:
            together.append(case)
    tests = [
        {
            "interval": "1m" if rules == "slo.yml" else interval,
            "input_series": [
                {"series": name, "values": values} for case in group for name, values in case.series.items()
            ],
            "promql_expr_test": [case.expectation() for case in group],
        }
        for group in shared
    ]
    file = folder / "cases.yml"
    document = {"rule_files": [str(FOLDER / rules)], "evaluation_interval": interval, "tests": tests}
    file.write_text(yaml.safe_dump(document))
    checked("promtool", "test", "rules", str(file))


def test_every_alert_on_a_fault_fires_in_its_case(tmp_path: Path) -> None:
    run([Case(case["alert"], case["at"], case["series"], case["fires"]) for case in CASES], tmp_path)


def test_no_alert_on_a_fault_fires_in_the_case_beside_it(tmp_path: Path) -> None:
    run([Case(case["alert"], case["at"], case["calm"], None) for case in CASES if "calm" in case], tmp_path)


def test_every_alert_has_a_case() -> None:
    burning = {objective.alert + speed for objective in objectives() for speed in ("BurnsFast", "BurnsSlowly")}
    assert {case["alert"] for case in CASES} | burning == {alert.name for alert in alerts()}
    assert {case["alert"] for case in CASES if "calm" not in case} == {"Watchdog"}


def series_of(objective: Objective, bad: int, events: int) -> Iterator[tuple[str, str]]:
    """Yield series in which so many of the events of a minute are bad."""
    if objective.success:
        yield 'tertulia_unhandled_seconds{service="matching",topic="registration.v1"}', f"{60 * bad}x200"
        for service in SERVICES:
            yield f'up{{job="tertulia",service="{service}"}}', "1x200"
        return
    good = events - bad
    answers, request = "tertulia_http_request_seconds", 'service="registration",route="/v1/me",status="200"'
    counts = {
        "api-availability": _answers("registration", good, bad),
        "api-latency": _histogram(answers, request, "1.0", good, events),
        "pages-availability": _answers("portal", good, bad),
        "agenda-freshness": _histogram(
            "tertulia_freshness_seconds", 'service="scheduler",topic="affinity.v1"', "2.5", good, events
        ),
        "mails-in-time": _histogram("tertulia_delivery_late_seconds", 'service="notify"', "60.0", good, events),
        "feed-freshness": _histogram(
            "tertulia_freshness_seconds", 'service="portal",topic="agenda.v1"', "5.0", good, events
        ),
    }
    for metric, labels, rate in counts[objective.name]:
        yield f"{metric}{{{labels}}}", f"0+{rate}x200"


def _answers(service: str, good: int, bad: int) -> list[tuple[str, str, int]]:
    labels = f'service="{service}",route="/somewhere"'
    return [
        ("tertulia_http_request_seconds_count", f'{labels},status="{status}"', count)
        for status, count in ((200, good), (500, bad))
    ]


def _histogram(metric: str, labels: str, le: str, good: int, events: int) -> list[tuple[str, str, int]]:
    return [(f"{metric}_bucket", f'{labels},le="{le}"', good), (f"{metric}_count", labels, events)]


def test_the_alerts_on_promises_fire_when_they_are_broken(tmp_path: Path) -> None:
    run(
        [
            Case(objective.alert + speed, at, dict(series_of(objective, 50, 100)), {"severity": severity})
            for objective in objectives()
            for speed, at, severity in (("BurnsFast", "70m", "page"), ("BurnsSlowly", "150m", "ticket"))
        ],
        tmp_path,
        "slo.yml",
        "5m",
    )


def test_the_alerts_on_promises_are_silent_when_they_are_kept(tmp_path: Path) -> None:
    run(
        [
            Case(f"{objective.alert}Burns.*", "150m", dict(series_of(objective, 0, 100)), None)
            for objective in objectives()
        ],
        tmp_path,
        "slo.yml",
        "5m",
    )


def test_a_few_bad_events_of_a_quiet_night_wake_nobody(tmp_path: Path) -> None:
    """All events of two minutes are bad, and fewer than the guard asks for."""
    guarded = [objective for objective in objectives() if objective.few]
    few = {objective.name: dict(series_of(objective, 1, 1)) for objective in guarded}
    quiet = {name: {metric: f"0x10 {_rise(values)}x200" for metric, values in few[name].items()} for name in few}
    run(
        [Case(known.alert + "BurnsFast", "15m", quiet[known.name], None) for known in guarded],
        tmp_path,
        "slo.yml",
        "5m",
    )


def _rise(values: str) -> str:
    return values.removeprefix("0+").partition("x")[0]


def test_each_service_that_is_gone_is_noticed() -> None:
    [down] = [alert for alert in alerts() if alert.name == "ServiceDown"]
    for service in SERVICES:
        assert f'absent(up{{job="tertulia",service="{service}"}})' in down.query


def test_promtool_finds_no_fault_in_the_rules() -> None:
    checked("promtool", "check", "rules", *(str(file) for file in FOLDER.glob("*.yml")))


def test_amtool_reads_the_configuration_and_routes_by_severity() -> None:
    file = str(ROOT / "deploy/monitoring/alertmanager.yml")
    checked("amtool", "check-config", file)
    for severity, receiver in (("page", "page"), ("ticket", "ticket")):
        routed = checked("amtool", "config", "routes", "test", f"--config.file={file}", f"severity={severity}")
        assert routed.strip() == receiver


def test_alerts_that_are_inhibited_exist() -> None:
    text = (ROOT / "deploy/monitoring/alertmanager.yml").read_text()
    names = {alert.name for alert in alerts()}
    for rule in yaml.safe_load(text)["inhibit_rules"]:
        for matcher in rule["source_matchers"] + rule["target_matchers"]:
            assert set(matcher.partition("=")[2].strip('~ "').split("|")) <= names


def test_rule_files_are_the_only_files_with_groups_of_rules() -> None:
    files = [*(ROOT / "deploy").rglob("*.yml"), *(ROOT / "deploy").rglob("*.yaml")]
    with_groups = {
        file.parent
        for file in files
        for document in yaml.safe_load_all(file.read_text())
        if isinstance(document, dict) and "groups" in document
    }
    assert with_groups == {FOLDER}
