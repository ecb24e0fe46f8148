"""The gate of the house rules: each count may fall and never rise. The limits are in `limits.json`."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from tests.house import structure
from tests.house.prose import counts, docstrings

ROOT = Path(__file__).parents[2]
LIMITS = Path(__file__).with_name("limits.json")
PACKAGES = ("bench", "demo", "deploy", "services", "shared", "tertulia")
#: Class names that may stand for several things, each with the reason.
SHARED_NAMES: Mapping[str, str] = json.loads(Path(__file__).with_name("shared_names.json").read_text(encoding="utf-8"))

Counts = dict[str, float]


def places() -> dict[str, list[str]]:
    """The places that break a rule, by the name of the figure that counts them."""
    code = _files(*PACKAGES)
    every = [*code, *_files("tests")]
    return {
        "long_modules": structure.long_modules(every),
        "long_classes": structure.long_classes(every),
        "nameless_functions": structure.nameless_functions(every),
        "import_cycles": [" <-> ".join(cycle) for cycle in structure.import_cycles(PACKAGES)],
        "shared_class_names": _unexplained(code),
    }


def measure(found: Mapping[str, list[str]]) -> Counts:
    """Every counted figure of the tree, with these places; shares are rounded up to tenths."""
    figures: Counts = {name: len(lines) for name, lines in found.items()}
    for name, folders in (("code", PACKAGES), ("tests", ("tests",))):
        for figure, value in asdict(counts(list(docstrings(_files(*folders))))).items():
            figures[f"{name}.{figure}"] = math.ceil(10 * value) / 10
    return figures


def rises() -> list[str]:
    """A line for each figure above its limit, with the places behind it where there is a list of them."""
    limits: Counts = json.loads(LIMITS.read_text(encoding="utf-8"))
    found = places()
    lines = []
    for name, value in measure(found).items():
        if value > limits[name]:
            lines.append(
                f"house rule {name}: {value:g}, and the limit is {limits[name]:g} (CONTRIBUTING.md says the rule)"
            )
            lines += [f"  {place}" for place in found.get(name, [])]
    return lines


def lower() -> None:
    """Lower each limit to the figure of today; no limit rises."""
    limits: Counts = json.loads(LIMITS.read_text(encoding="utf-8")) if LIMITS.exists() else {}
    lowest = {name: min(value, limits.get(name, value)) for name, value in measure(places()).items()}
    LIMITS.write_text(json.dumps(lowest, indent=1) + "\n", encoding="utf-8")


def _files(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def _unexplained(files: list[Path]) -> list[str]:
    """Class names in several modules that `shared_names.json` does not explain."""
    found = structure.shared_class_names(files)
    return [
        f"class {name} in {', '.join(str(path.relative_to(ROOT)) for path in paths)}"
        for name, paths in found.items()
        if name not in SHARED_NAMES
    ]
