"""`tertulia erase`: nothing is erased without a confirmation."""

from __future__ import annotations

from typing import Any

import pytest
from typer.testing import CliRunner

from tertulia import erase
from tertulia.cli import app

REPORT = {
    "parties": [{"kind": "participant", "id": "prt_1"}],
    "cancels": True,
    "goes": [{"service": "registration", "place": "participants", "holds": "name"}],
    "stays": [{"service": "scheduler", "place": "journal", "holds": "ids"}],
}


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    made: list[tuple[str, Any]] = []

    def answer(_client: object, _method: str, path: str, query: Any = None) -> dict[str, Any]:
        made.append((path, query))
        return REPORT

    monkeypatch.setattr(erase, "answer_of", answer)
    monkeypatch.setenv("TERTULIA_API_KEY", "itecam.key")
    return made


def test_an_erasure_is_shown_first_and_made_only_once_confirmed(calls: list[tuple[str, Any]]) -> None:
    shown = CliRunner().invoke(app, ["erase", "edn_1", "prt_1"]).output
    assert "Nothing was erased" in shown
    assert "scheduler: journal" in shown
    assert [query for _, query in calls] == [{"dry_run": "true"}]
    assert "Erased." in CliRunner().invoke(app, ["erase", "edn_1", "prt_1", "--yes"]).output
    assert calls[-1] == ("/editions/edn_1/participants/prt_1/erasure", None)


def test_an_organisation_is_known_by_its_id(calls: list[tuple[str, Any]]) -> None:
    CliRunner().invoke(app, ["erase", "edn_1", "org_1", "--yes"])
    assert {path for path, _ in calls} == {"/editions/edn_1/organisations/org_1/erasure"}
