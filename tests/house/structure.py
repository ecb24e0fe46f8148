"""Counters of structure: long modules and classes, functions without a name, import cycles, names with two meanings."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import grimp
import networkx as nx

MOST_MODULE_LINES = 350
MOST_CLASS_LINES = 200


def long_modules(files: Iterable[Path]) -> list[str]:
    """The modules with more than 350 lines."""
    sizes = ((path, len(path.read_text(encoding="utf-8").splitlines())) for path in files)
    return [f"{path}: {lines} lines, {MOST_MODULE_LINES} at most" for path, lines in sizes if lines > MOST_MODULE_LINES]


def long_classes(files: Iterable[Path]) -> list[str]:
    """The classes with more than 200 lines."""
    return [
        f"{path}: class {node.name} has {lines} lines, {MOST_CLASS_LINES} at most"
        for path, node in _classes(files)
        if (lines := (node.end_lineno or 0) - node.lineno + 1) > MOST_CLASS_LINES
    ]


def nameless_functions(files: Iterable[Path]) -> list[str]:
    """The functions that are named `_`."""
    return [
        f"{path}:{node.lineno}: a function named _"
        for path in files
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == "_"
    ]


def shared_class_names(files: Iterable[Path]) -> dict[str, list[Path]]:
    """Public class names that stand in more than one module, with these modules."""
    modules: dict[str, list[Path]] = defaultdict(list)
    for path, node in _classes(files):
        if not node.name.startswith("_"):
            modules[node.name].append(path)
    return {name: paths for name, paths in sorted(modules.items()) if len(paths) > 1}


def import_cycles(packages: Iterable[str]) -> list[list[str]]:
    """Groups of modules that import each other; imports for the type checker alone do not count."""
    graph = grimp.build_graph(*packages, exclude_type_checking_imports=True, cache_dir=None)
    imports = nx.DiGraph(
        (module, imported) for module in graph.modules for imported in graph.find_modules_directly_imported_by(module)
    )
    return [sorted(group) for group in nx.strongly_connected_components(imports) if len(group) > 1]


def _classes(files: Iterable[Path]) -> Iterator[tuple[Path, ast.ClassDef]]:
    for path in files:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef):
                yield path, node
