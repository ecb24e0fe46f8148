import importlib
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tertulia.benchmarks import benchmarks
from tertulia.cli import app

TEXT = """
nBusiness = 3; nMeetings = 3; nTables = 1; nTotalSlots = 3; nMorningSlots = 3;
requested = [| 1,2,3 | 2,3,3 | 1,3,3 |];
forbidden = [{0},{0},{0}]; fixed = [0,2,0]; precedences = [{3},{},{}];
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "three.dzn"
    file.write_text(TEXT)
    return file


def test_every_benchmark_has_a_run_and_nothing_else_is_listed() -> None:
    assert {"b2b", "editions", "matching", "scheduler"} <= benchmarks().keys()
    for module in benchmarks().values():
        assert callable(importlib.import_module(module).run), module
    for folder in ("affinities", "instances", "peers", "__init__"):
        assert folder not in benchmarks()
        assert CliRunner().invoke(app, ["bench", folder]).exit_code == 2


def test_a_mistyped_benchmark_is_answered_with_the_nearest_name() -> None:
    printed = CliRunner().invoke(app, ["bench", "matchin"]).output
    assert "did you mean 'matching'?" in " ".join(printed.replace("│", " ").split())


def test_bench_writes_a_row_per_instance(file: Path) -> None:
    rows = file.parent / "rows.json"
    options = ["--data", str(file.parent), "--json", str(rows)]
    assert CliRunner().invoke(app, ["bench", "b2b", *options]).exit_code == 0
    (row,) = json.loads(rows.read_text())
    assert (row["instance"], row["breaks"], row["bound"], row["proven"]) == ("three", 1, 1, True)
    assert (row["peer_breaks"], row["peer_bound"], row["peer_proven"]) == (1, 1, True)
    assert 0 <= row["seconds_to_best"] <= row["seconds"]


def test_bench_takes_the_options_of_the_benchmark_and_no_others(file: Path) -> None:
    rows = file.parent / "rows.json"
    options = ["--data", str(file.parent), "--json", str(rows)]
    assert CliRunner().invoke(app, ["bench", "b2b", *options, "--peer", "no"]).exit_code == 0
    assert "peer_breaks" not in json.loads(rows.read_text())[0]
    assert CliRunner().invoke(app, ["bench", "b2b", *options, "--colour", "red"]).exit_code == 2


def test_a_benchmark_without_its_data_is_an_error_without_a_traceback(file: Path) -> None:
    missing = CliRunner().invoke(app, ["bench", "b2b"])
    assert (missing.exit_code, missing.stderr) == (
        1,
        "the benchmark b2b cannot run: no .dzn file in any folder: give --data FOLDER with the instances\n",
    )
    file.write_text("nBusiness = ;")
    assert CliRunner().invoke(app, ["bench", "b2b", "--data", str(file.parent)]).exit_code == 1
