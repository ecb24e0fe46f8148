from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.scheduler.solve import BadEditionFile, EditionFile, solve_file
from services.scheduler.solver.effort import Effort
from tests.support.scheduler_editions import HALL, affinity, at, edition, organisation, people, workspace

EFFORT = Effort(rounds=1, steps=100)


def written(tmp_path: Path, **changes: object) -> Path:
    content = {
        "edition": edition().to_json(),
        "participants": [each.to_json() for each in people("a", "b", "c")],
        "affinities": [affinity("a", "b").to_json(), affinity("a", "c", consent="pending").to_json()],
        **changes,
    }
    path = tmp_path / "edition.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_an_edition_is_solved(tmp_path: Path) -> None:
    solved = solve_file(written(tmp_path), EFFORT)
    assert {name: len(entries) for name, entries in solved.agendas.items()} == {"a": 1, "b": 1}
    assert (solved.certificate.placed, solved.certificate.bound) == (1, 1)
    assert solved.violations == ()


def test_a_past_edition_is_solved_as_on_the_day_before() -> None:
    file = EditionFile(edition=edition(slots=2))
    assert file.planned_at(at(1)) == at(0) - timedelta(days=1)
    assert [file.planned_at(now) for now in (at(-9), at(0.5))] == [at(-9), at(0.5)]  # a slot is still to come


def test_an_edition_is_solved_for_its_goals(tmp_path: Path) -> None:
    fields: dict[str, Any] = {"slots": 1, "zones": (workspace(1), HALL), "goals": ("cross_border",)}
    changes = {
        "edition": edition(**fields).to_json(),
        "organisations": [organisation(f"org-{n}", country=c).to_json() for n, c in (("a", "ES"), ("c", "PT"))],
        "affinities": [affinity("a", "b", score=0.9).to_json(), affinity("a", "c", score=0.1).to_json()],
    }
    assert solve_file(written(tmp_path, **changes), EFFORT).agendas.keys() == {"a", "c"}


def too_many_at_least() -> dict[str, object]:
    return edition().to_json() | {"quotas": {"min_encounters": 3, "max_encounters": 2}}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"edition": edition(phase="closed").to_json()}, "is closed, so its agenda cannot change"),
        ({"edition": None}, "edition: Input should be"),
        ({"edition": too_many_at_least()}, "edition.quotas: .*min_encounters is 3: it cannot be more than"),
        ({"guests": []}, "guests: Extra inputs"),
        ({"participants": [{**people("a")[0].to_json(), "edition_id": "another"}]}, "events of other editions than ed"),
        ({"affinities": [{**affinity("a", "b").to_json(), "pair_id": "forged"}]}, "forged is not the id"),
    ],
)
def test_the_error_names_the_fault_of_a_file(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    with pytest.raises(BadEditionFile, match=message):
        solve_file(written(tmp_path, **changes), EFFORT)


def test_a_missing_or_broken_file_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(BadEditionFile, match="No such file"):
        solve_file(tmp_path / "missing.json")
    (tmp_path / "broken.json").write_bytes(b"\xff{")
    with pytest.raises(BadEditionFile, match="Invalid JSON"):
        solve_file(tmp_path / "broken.json")
