"""The journalled services have one skeleton: the same file name means the same thing in each of them."""

from __future__ import annotations

import importlib
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]
JOURNALLED = ("matching", "notify", "scheduler")
#: Module, and a name that it must define: the one by which the rest of the service knows it.
SKELETON = {
    "__main__": None,
    "aggregate": None,
    "app": "assemble",
    "handlers": "listen",
    "ports": None,
    "rebuild": "state_of",
    "service": None,
    "settings": "Settings",
    "domain.changes": "Change",
    "domain.decide": None,
    "domain.evolve": "evolve",
    "domain.history": None,
    "domain.publication": None,
    "domain.snapshots": None,
    "domain.state": None,
}
MOST_ROOMS = 16


@pytest.mark.parametrize("service", JOURNALLED)
@pytest.mark.parametrize("module", SKELETON)
def test_each_journalled_service_has_the_modules_of_the_skeleton(service: str, module: str) -> None:
    name = f"services.{service}.{module}"
    assert (ROOT / f"{name.replace('.', '/')}.py").is_file()
    if defined := SKELETON[module]:
        assert hasattr(importlib.import_module(name), defined)


@pytest.mark.parametrize("service", JOURNALLED)
def test_a_reader_of_a_domain_faces_at_most_sixteen_rooms(service: str) -> None:
    domain = ROOT / "services" / service / "domain"
    rooms = {entry.stem for entry in domain.iterdir() if not entry.name.startswith("__")}
    assert len(rooms) <= MOST_ROOMS, sorted(rooms)


def test_shared_has_its_five_rooms_rights_privacy_and_the_application() -> None:
    rooms = {entry.stem for entry in (ROOT / "shared").iterdir() if not entry.name.startswith("__")}
    assert rooms == {"access", "app", "contract", "internal_api", "messaging", "privacy", "runtime", "storage"}


def test_the_project_has_its_rooms_and_nothing_beside_them() -> None:
    kept = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout  # noqa: S607
    folders = {name.partition("/")[0] for name in kept.splitlines() if "/" in name}
    assert folders - {".ci"} == {
        "bench", "demo", "deploy", "docs", "requirements", "services", "shared", "tertulia", "tests"
    }  # fmt: skip
