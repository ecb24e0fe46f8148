"""Rules for Prometheus from the objectives, and the alerts of all rule files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

import yaml

from deploy.monitoring.objectives import BurnCondition, Objective, objectives

FOLDER = Path(__file__).parent / "rules"
OBJECTIVE_RULES = FOLDER / "slo.yml"
_SECONDS = {"m": 60, "h": 3600, "d": 86400}
#: Part of the names of alerts on objectives, by severity.
_BURNS = {"page": "BurnsFast", "ticket": "BurnsSlowly"}


@dataclass(frozen=True)
class Alert:
    """An alert of a rule file. `runbook` is the path of its page below the project's root."""

    name: str
    severity: str
    query: str
    summary: str
    feels: str
    runbook: str


def objective_rules() -> str:
    """Return the text of `slo.yml`: for every objective recording rules, and an alert of every severity."""
    groups = [_group(objective) for objective in objectives()]
    return "# Made from deploy/monitoring/slo.yaml by `python -m deploy`.\n" + _yaml({"groups": groups})


@cache
def alerts() -> list[Alert]:
    """Return the alerts of all rule files."""
    return [
        Alert(
            name=rule["alert"],
            severity=rule["labels"]["severity"],
            query=rule["expr"],
            summary=rule["annotations"]["summary"],
            feels=rule["annotations"]["feels"],
            runbook=rule["annotations"]["runbook"],
        )
        for _, rule in rules_of(FOLDER.glob("*.yml"))
        if "alert" in rule
    ]


@cache
def recorded() -> dict[str, set[str]]:
    """Return the queries of the recording rules by name."""
    queries: dict[str, set[str]] = {}
    for _, rule in rules_of(FOLDER.glob("*.yml")):
        if "record" in rule:
            queries.setdefault(rule["record"], set()).add(rule["expr"])
    return queries


def rules_of(files: Iterable[Path]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the rules of files with the names of their groups."""
    for file in sorted(files):
        for group in yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]:
            for rule in group["rules"]:
                yield group["name"], rule


def seconds(window: str) -> int:
    """Return the length of a window such as `6h`."""
    return int(window[:-1]) * _SECONDS[window[-1]]


def _group(objective: Objective) -> dict[str, Any]:
    windows = sorted({window for burn in objective.conditions for window in (burn.short, burn.long)}, key=seconds)
    labels = {"slo": objective.name}
    rules: list[dict[str, Any]] = []
    if objective.success:
        rules.append({"record": "slo:success", "expr": objective.success, "labels": labels})
    for window in windows:
        expr = objective.error_ratio(window)
        rules.append({"record": f"slo:error_ratio:{window}", "expr": expr, "labels": labels})
    left = f"1 - ({objective.error_ratio('28d')}) / {objective.budget:g}"
    rules.append({"record": "slo:budget_left:28d", "expr": left, "labels": labels})
    for severity, conditions in groupby(objective.conditions, key=lambda burn: burn.severity):
        rules.append(_alert(objective, severity, list(conditions)))
    return {"name": f"slo-{objective.name}", "interval": "15s", "rules": rules}


def _alert(objective: Objective, severity: str, conditions: list[BurnCondition]) -> dict[str, Any]:
    share = "{{ $value | humanizePercentage }}"
    return {
        "alert": objective.alert + _BURNS[severity],
        "expr": " or ".join(_burns(objective, burn) for burn in conditions),
        "labels": {"severity": severity, "slo": objective.name},
        "annotations": {
            "summary": f"{objective.title}: broken for {share}, where {objective.budget:.1%} are allowed.",
            "feels": objective.feels,
            "runbook": f"deploy/runbooks/slo-{objective.name}.md",
        },
    }


def _burns(objective: Objective, burn: BurnCondition) -> str:
    limit = f"{burn.threshold * objective.budget:g}"
    selector = f'{{slo="{objective.name}"}}'
    query = f"slo:error_ratio:{burn.long}{selector} > {limit} and slo:error_ratio:{burn.short}{selector} > {limit}"
    if objective.few:
        bad = f"{objective.bad_rate(burn.long)} * {seconds(burn.long)}"
        query = f"({query}) and on () ({bad} >= {objective.few})"
    return f"({query})"


def _yaml(value: object) -> str:
    # Through JSON, so that shared objects are written out instead of as aliases.
    return yaml.safe_dump(json.loads(json.dumps(value)), sort_keys=False, width=1000, allow_unicode=True)
