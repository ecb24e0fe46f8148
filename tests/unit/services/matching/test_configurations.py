from __future__ import annotations

from pathlib import Path

import pytest

from services.matching.configurations import BadConfiguration, configurations_in
from services.matching.domain.scoring.configuration import CONFIGURATIONS, NEWEST


def test_without_a_folder_there_are_the_built_in_configurations() -> None:
    assert configurations_in(None) == CONFIGURATIONS


def test_a_folder_adds_configurations(tmp_path: Path) -> None:
    learnt = NEWEST.model_copy(update={"version": "2-learnt", "note": "from 2017 and 2018"})
    (tmp_path / "learnt.json").write_text(learnt.model_dump_json(), encoding="utf-8")
    (tmp_path / "same.json").write_text(NEWEST.model_dump_json(), encoding="utf-8")
    (tmp_path / "README.md").write_text("not one", encoding="utf-8")
    assert configurations_in(tmp_path) == {**CONFIGURATIONS, "2-learnt": learnt}


@pytest.mark.parametrize(
    "content",
    ["", "{}", NEWEST.model_copy(update={"note": "but another"}).model_dump_json()],
    ids=["empty", "none", "taken"],
)
def test_an_invalid_configuration_stops_the_service_and_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "odd.json").write_text(content, encoding="utf-8")
    with pytest.raises(BadConfiguration, match=r"odd\.json"):
        configurations_in(tmp_path)
