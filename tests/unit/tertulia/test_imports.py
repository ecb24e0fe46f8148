"""`tertulia import`: the effects of a list, its confirmation, and its undoing, against an API that the test plays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from tertulia import imports
from tertulia.cli import app

COUNTS = {"encounters": 9, "moved": 0, "placed": 0, "waiting": 3, "cancelled": 0, "people": 2, "mailed": 4}
PREVIEW: dict[str, Any] = {
    "announced": True,
    "counts": COUNTS,
    "moved": [],
    "placed": [],
    "waiting": [],
    "cancelled": [],
    "outside": [],
    "names": {},
}
REPORT: dict[str, Any] = {
    "token": "t0k3n",
    "preview": PREVIEW,
    "amendment_id": None,
    **dict.fromkeys(("created", "changed", "unchanged", "reinstated", "missing_count"), 0),
    "rejected_rows": 1,
    "rejected": [{"line": 3, "column": "E-mail", "reason": "no e-mail address"}],
    **{name: [] for name in ("warnings", "assumed", "organisations_created", "missing")},
    "found": {"sheet": "", "encoding": "utf-8", "delimiter": ";", "header_line": 1, "columns": [], "ignored": []},
}


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[httpx.Request]:
    """Answer a dry run with a report and its token, and the token with the amendment of the list."""
    made: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        made.append(request)
        tried = REPORT | {"changed": 10}
        if request.url.params.get("dry_run") == "true":
            return httpx.Response(200, json=tried)
        return httpx.Response(200, json=tried | {"token": None, "preview": None, "amendment_id": "amd_1"})

    monkeypatch.setattr(
        imports,
        "client_of",
        lambda registration, _: httpx.Client(transport=httpx.MockTransport(answer), base_url=f"{registration}/v1"),
    )
    return made


def run(folder: Path, *arguments: str) -> Result:
    file = folder / "people.csv"
    file.write_text("E-mail\nana@x.example\n", encoding="utf-8")
    return CliRunner(env={"COLUMNS": "200"}).invoke(app, ["import", "edn_1", "participants", str(file), *arguments])


def test_a_list_is_shown_with_its_effects_and_not_applied_without_a_terminal(
    calls: list[httpx.Request], tmp_path: Path
) -> None:
    done = run(tmp_path)
    assert done.exit_code == 0, done.output
    assert "10 changed, 1 rejected" in done.output
    assert "Of 9 encounters 0 would move, 3 lose their place" in done.output
    assert "Nothing was applied. To apply this list: --yes, or --token t0k3n" in done.output
    assert len(calls) == 1


@pytest.mark.parametrize("arguments", [["--yes"], ["--token", "t0k3n"]])
def test_a_confirmed_list_is_applied_and_can_be_undone(
    calls: list[httpx.Request], tmp_path: Path, arguments: list[str]
) -> None:
    done = run(tmp_path, *arguments)
    assert done.exit_code == 0, done.output
    assert "The list is applied: 10 changed, 1 rejected." in done.output
    assert "tertulia change undo edn_1 amd_1" in done.output
    assert calls[-1].url.params["token"] == "t0k3n"
    assert calls[-1].url.path == "/v1/editions/edn_1/imports/participants"
