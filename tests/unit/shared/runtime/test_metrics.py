"""Every metric has a test that asserts its value."""

from __future__ import annotations

import ast
import platform
from importlib.metadata import version
from pathlib import Path

from prometheus_client import generate_latest
from prometheus_client.metrics import MetricWrapperBase

from shared.runtime import metrics
from shared.runtime.metrics import BUILD_INFO, METRICS
from tests.support.metrics import metric_value

TESTS = Path(__file__).parents[3]
HELPERS = {"metric_value", "MetricDelta"}


def declared() -> set[str]:
    """Return the names under which `shared.runtime.metrics` declares metrics."""
    return {name for name, value in vars(metrics).items() if isinstance(value, MetricWrapperBase)}


def asserted(source: str) -> set[str]:
    """Return the metrics that a test function of a source file passes to a helper, if the function asserts."""
    functions = [
        node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    return {
        node.args[0].id
        for function in functions
        if function.name.startswith("test_") and any(isinstance(node, ast.Assert) for node in ast.walk(function))
        for node in ast.walk(function)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in HELPERS
        and isinstance(node.args[0], ast.Name)
    }


def test_each_metric_is_described_in_the_documentation() -> None:
    assert len(METRICS) == len(declared())


def test_each_metric_has_a_test_that_asserts_its_value() -> None:
    found = {name for path in TESTS.rglob("test_*.py") for name in asserted(path.read_text())}
    assert declared() - found == set(), "assert them beside the behaviour that sets them, with tests/support/metrics.py"


def test_a_metric_that_is_only_named_does_not_count_as_asserted() -> None:
    named = "def test_a(): MetricDelta(LAG)\ndef helper():\n    assert metric_value(RECORDS)"
    assert asserted(named) == set()
    assert asserted("def test_a():\n    assert metric_value(LAG, topic='t') == 1") == {"LAG"}


def test_the_versions_of_the_process_are_shown() -> None:
    assert metric_value(BUILD_INFO, version=version("tertulia"), python=platform.python_version()) == 1


def test_no_series_tells_when_a_metric_was_created() -> None:
    assert b"_created" not in generate_latest()
