from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from services.matching.domain.scoring.configuration import CONFIGURATIONS, AffinityConfiguration
from tertulia.cli import app


@pytest.fixture
def file(tmp_path: Path) -> Path:
    random = np.random.default_rng(1)
    lines = []
    for number in range(800):
        terms = {term.value: round(float(random.random()), 4) for term in CONFIGURATIONS["2"].weights}
        line = {"edition": f"edn_{number % 2}", "pair": str(number), "configuration": "2", "terms": terms}
        lines.append(line | {"accepted": bool(random.random() < terms["sector"])})
    path = tmp_path / "decisions.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    return path


def test_a_proposed_configuration_never_overwrites_a_file(file: Path, tmp_path: Path) -> None:
    output = tmp_path / "new.json"
    arguments = ["learn", str(file), "--version", "3", "--output", str(output)]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert "AUC, learnt" in done.output
    proposed = AffinityConfiguration.model_validate_json(output.read_bytes())
    assert proposed.version == "3"
    assert max(proposed.weights, key=proposed.weights.__getitem__).value == "sector"
    again = CliRunner().invoke(app, arguments)
    assert again.exit_code == 1
    assert "FileExistsError" in again.output


def test_unusable_decisions_are_an_error_without_a_traceback(tmp_path: Path) -> None:
    empty = tmp_path / "empty.jsonl"
    empty.write_text("", encoding="utf-8")
    done = CliRunner().invoke(app, ["learn", str(empty)])
    assert (done.exit_code, done.output.strip()) == (1, "CannotFit: no decision on a pair scored by version 2")
    assert CliRunner().invoke(app, ["learn", str(empty), "--base", "99"]).exit_code == 2
