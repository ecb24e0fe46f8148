"""The objectives of `slo.yaml`, read strictly: an unknown field is an error, since nothing would follow from it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

FILE = Path(__file__).parent / "slo.yaml"
_WINDOW = "{{.window}}"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class _Metadata(_Strict):
    name: str = Field(pattern=r"^[a-z][a-z-]*$")
    display_name: str = Field(default="", alias="displayName")
    annotations: dict[Literal["feels", "few"], str] = {}


class _Query(_Strict):
    query: str


class _Source(_Strict):
    type: Literal["Prometheus"]
    spec: _Query


class _Metric(_Strict):
    source: _Source = Field(alias="metricSource")


class _Ratio(_Strict):
    counter: bool
    good: _Metric | None = None
    bad: _Metric | None = None
    total: _Metric | None = None
    raw: _Metric | None = None
    raw_type: Literal["success"] | None = Field(default=None, alias="rawType")


class _IndicatorSpec(_Strict):
    ratio: _Ratio = Field(alias="ratioMetric")


class _Indicator(_Strict):
    metadata: _Metadata
    spec: _IndicatorSpec


class _Target(_Strict):
    target: float = Field(gt=0, lt=1)
    slice_target: float | None = Field(default=None, alias="timeSliceTarget")
    slice_window: str | None = Field(default=None, alias="timeSliceWindow")


class _Period(_Strict):
    duration: Literal["28d"]
    is_rolling: Literal[True] = Field(alias="isRolling")


class _ConditionRef(_Strict):
    name: str = Field(alias="conditionRef")


class _PolicySpec(_Strict):
    conditions: tuple[_ConditionRef, ...]


class _Policy(_Strict):
    kind: Literal["AlertPolicy"]
    metadata: _Metadata
    spec: _PolicySpec


class _ObjectiveSpec(_Strict):
    service: str
    description: str
    indicator: _Indicator
    periods: tuple[_Period] = Field(alias="timeWindow")
    method: Literal["Occurrences", "Timeslices"] = Field(alias="budgetingMethod")
    targets: tuple[_Target] = Field(alias="objectives")
    policies: tuple[_Policy] = Field(alias="alertPolicies")


class _ObjectiveDocument(_Strict):
    version: Literal["openslo/v1"] = Field(alias="apiVersion")
    kind: Literal["SLO"]
    metadata: _Metadata
    spec: _ObjectiveSpec


class _Burn(_Strict):
    kind: Literal["burnrate"]
    op: Literal["gt"]
    threshold: float
    long: str = Field(alias="lookbackWindow")
    short: str = Field(alias="alertAfter")


class _ConditionSpec(_Strict):
    severity: Literal["page", "ticket"]
    condition: _Burn


class _ConditionDocument(_Strict):
    version: Literal["openslo/v1"] = Field(alias="apiVersion")
    kind: Literal["AlertCondition"]
    metadata: _Metadata
    spec: _ConditionSpec


_Document = Annotated[_ObjectiveDocument | _ConditionDocument, Field(discriminator="kind")]
_DOCUMENT: TypeAdapter[Any] = TypeAdapter(_Document)


@dataclass(frozen=True)
class BurnCondition:
    """A burn rate of the budget that is exceeded in a long and a short window."""

    severity: Literal["page", "ticket"]
    threshold: float
    long: str
    short: str


@dataclass(frozen=True)
class Objective:
    """A promise: the share of bad events, or of bad time, stays below `budget`.

    `bad` and `total` are rates with a window to fill in; a promise about time has `success`, a value from 0 to 1. `few`
    is the least number of bad events for an alert.
    """

    name: str
    title: str
    description: str
    feels: str
    budget: float
    few: int
    success: str
    bad: str
    total: str
    conditions: tuple[BurnCondition, ...]

    @property
    def alert(self) -> str:
        """The first part of the names of the alerts: `ApiAvailability`."""
        return "".join(part.capitalize() for part in self.name.split("-"))

    def bad_rate(self, window: str) -> str:
        """Return the query of bad events in a second."""
        return self.bad.replace(_WINDOW, window)

    def error_ratio(self, window: str) -> str:
        """Return the query of the share of bad events; empty without events."""
        if self.success:
            return f'1 - avg_over_time(slo:success{{slo="{self.name}"}}[{window}])'
        total = self.total.replace(_WINDOW, window)
        return f"{self.bad_rate(window)} / ({total} > 0)"


@cache
def objectives(file: Path = FILE) -> list[Objective]:
    """Return the objectives of a file.

    Raises:
        ValidationError: a document is not in the subset of OpenSLO from which rules are made.
    """
    documents = [_DOCUMENT.validate_python(document) for document in yaml.safe_load_all(file.read_text("utf-8"))]
    conditions = {
        document.metadata.name: _condition(document)
        for document in documents
        if isinstance(document, _ConditionDocument)
    }
    return [_objective(document, conditions) for document in documents if isinstance(document, _ObjectiveDocument)]


def _condition(document: _ConditionDocument) -> BurnCondition:
    burn = document.spec.condition
    return BurnCondition(document.spec.severity, burn.threshold, burn.long, burn.short)


def _objective(document: _ObjectiveDocument, conditions: dict[str, BurnCondition]) -> Objective:
    spec, annotations = document.spec, document.metadata.annotations
    ratio, [target], [policy] = spec.indicator.spec.ratio, spec.targets, spec.policies
    total, good, bad = (_text(metric) for metric in (ratio.total, ratio.good, ratio.bad))
    return Objective(
        name=document.metadata.name,
        title=document.metadata.display_name,
        description=spec.description,
        feels=annotations["feels"],
        budget=round(1 - target.target, 6),
        few=int(annotations.get("few", 0)),
        success=_text(ratio.raw),
        # Without a bad event there is no series of bad events.
        bad=f"({bad} or vector(0))" if bad else f"({total} - {good})" if good else "",
        total=total,
        conditions=tuple(conditions[reference.name] for reference in policy.spec.conditions),
    )


def _text(metric: _Metric | None) -> str:
    return " ".join(metric.source.spec.query.split()) if metric else ""
