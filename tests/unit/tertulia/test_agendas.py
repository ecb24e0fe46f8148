import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

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


def test_solve_prints_slots_breaks_and_bound(file: Path) -> None:
    result = CliRunner().invoke(app, ["solve", str(file)])
    printed = json.loads(result.stdout)
    assert result.exit_code == 0
    assert printed["slots"] == [3, 2, 1]
    assert (printed["breaks"], printed["bound"], printed["proven"], printed["violations"]) == (1, 1, True, {})


@pytest.mark.parametrize(
    ("was", "becomes", "options", "why"),
    [
        ("", "", ["--fairness", "0"], "breaks at most 0 apart"),
        ("forbidden = [{0}", "forbidden = [1..2", [], "more meetings than available slots: participant 1"),
    ],
)
def test_solve_gives_the_reason_of_infeasibility(
    file: Path, was: str, becomes: str, options: list[str], why: str
) -> None:
    file.write_text(TEXT.replace(was, becomes) if was else TEXT)
    result = CliRunner().invoke(app, ["solve", str(file), *options])
    printed = json.loads(result.stdout)
    assert result.exit_code == 1
    assert (printed["feasible"], printed["proven"]) == (False, True)
    assert why in printed["reason"]


def test_solve_names_the_unreadable_part(file: Path) -> None:
    file.write_text("nBusiness = ;")
    result = CliRunner().invoke(app, ["solve", str(file)])
    assert result.exit_code == 1
    assert "number should be" in result.stderr
