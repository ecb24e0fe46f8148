"""Calls of loggers in our code: exceptions are passed as objects, so that the scrubber knows their origin."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]
FOLDERS = ("shared", "services")
METHODS = {"debug", "info", "warning", "error", "critical", "exception", "log"}


def texts_made_from_values(source: str) -> Iterator[str]:
    """Yield the arguments of logger calls that make a text of a value: str(), repr(), format() and f-strings."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and _is_log_call(node):
            for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
                yield from (ast.unparse(part) for part in ast.walk(argument) if _makes_text(part))


def _is_log_call(call: ast.Call) -> bool:
    return (
        isinstance(call.func, ast.Attribute)
        and call.func.attr in METHODS
        and isinstance(call.func.value, ast.Name)
        and "log" in call.func.value.id
    )


def _makes_text(node: ast.AST) -> bool:
    if isinstance(node, ast.JoinedStr):
        return True
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"str", "repr", "format"}


@pytest.mark.parametrize(
    "call",
    [
        "_log.warning('x', error=str(error))",
        "_log.error('x', errors=[repr(error) for error in errors])",
        "log.info(f'{name} came')",
    ],
)
def test_a_text_made_from_a_value_is_found(call: str) -> None:
    assert list(texts_made_from_values(call))


def test_log_calls_pass_values_as_they_are() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {text}"
        for folder in FOLDERS
        for path in sorted((ROOT / folder).rglob("*.py"))
        for text in texts_made_from_values(path.read_text(encoding="utf-8"))
    ]
    assert found == []
