from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from services.scheduler.solver import words
from services.scheduler.solver.words import cache_folder, usable_folder


def test_changed_sources_have_a_cache_of_their_own(tmp_path: Path) -> None:
    sources, cache = tmp_path / "sources", tmp_path / "cache"
    sources.mkdir()
    (sources / "caller.py").write_text("from callee import callee")
    (sources / "callee.py").write_text("callee = 1")
    before = cache_folder(sources, cache)
    assert cache_folder(sources, cache) == before
    (sources / "callee.py").write_text("callee = 2")
    assert cache_folder(sources, cache) != before


def test_compiled_functions_are_kept_in_that_folder(tmp_path: Path) -> None:
    script = "from services.scheduler.solver import words; print(words.ones.stats.cache_path)"
    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path)}
    process = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True, timeout=120
    )
    sources = Path(words.__file__).parent
    folder = Path(process.stdout.strip())
    assert cache_folder(sources, sources / "__pycache__") in folder.parents


def test_the_first_cache_that_can_be_written_is_used(tmp_path: Path) -> None:
    no_folder, cache = tmp_path / "file", tmp_path / "cache"
    no_folder.touch()
    assert usable_folder(tmp_path, [no_folder, cache]) == cache_folder(tmp_path, cache)
    assert usable_folder(tmp_path, [no_folder]) is None


def test_a_filled_cache_is_used_though_it_cannot_be_written(tmp_path: Path) -> None:
    filled, writable = tmp_path / "filled", tmp_path / "writable"
    folder = cache_folder(tmp_path, filled) / "solver"
    folder.mkdir(parents=True)
    (folder / "kempe.nbi").touch()
    (filled / folder.parent.name).chmod(0o555)
    assert usable_folder(tmp_path, [filled, writable]) == folder.parent


def test_another_processor_has_a_cache_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = cache_folder(tmp_path, tmp_path)
    monkeypatch.setattr("numba.config.CPU_NAME", "generic")
    monkeypatch.setattr("numba.config.CPU_FEATURES", "")
    assert cache_folder(tmp_path, tmp_path) != own
