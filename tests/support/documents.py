"""Documents that name tests."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def named_tests(page: Path) -> list[tuple[str, str]]:
    """Return the tests that a page names, `file::test`, as pairs of the file's path and the function's name."""
    return sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page.read_text(encoding="utf-8"))))


def functions_of(file: str) -> set[str]:
    """Return the names of the functions of a module of the project."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
