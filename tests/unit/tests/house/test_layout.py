"""Layout of the tests: folders of unit tests mirror the source, and shared code is in `tests/support`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[4]


def test_folders_of_unit_tests_mirror_the_source() -> None:
    unit = ROOT / "tests" / "unit"
    folders = {path.parent.relative_to(unit) for path in unit.rglob("*.py")}
    assert {str(folder) for folder in folders if not (ROOT / folder).is_dir()} == set()


def test_no_module_imports_a_test_module_or_a_conftest() -> None:
    found = [
        f"{path.relative_to(ROOT)} imports {module}; move what it needs to tests/support"
        for path in sorted((ROOT / "tests").rglob("*.py"))
        for module in imported_by(path)
        if module.startswith("tests.")
        if any(part.startswith("test_") or part == "conftest" for part in module.split("."))
    ]
    assert found == []


def imported_by(path: Path) -> Iterator[str]:
    """Yield the names of imported modules, and of the objects imported from them."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
