from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from services.scheduler.solver import words
from services.scheduler.solver.words import cache_folder, writable_folder


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
    assert writable_folder(tmp_path, [no_folder, cache]) == cache_folder(tmp_path, cache)
    assert writable_folder(tmp_path, [no_folder]) is None
