"""`tertulia edition` and `tertulia import`, against an API that the test plays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from tertulia import editions, imports
from tertulia.cli import app

REPORT: dict[str, Any] = {
    "token": "t0k3n",
    "created": 2,
    "changed": 0,
    "unchanged": 1,
    "reinstated": 0,
    "rejected_rows": 1,
    "rejected": [{"line": 5, "column": "Correo", "reason": "D5: 'x' is no e-mail address"}],
    "warnings": [],
    "organisations_created": ["Acme"],
    "assumed": [{"field": "languages", "value": "es", "rows": 2}],
    "missing": ["Ana Peña"],
    "missing_count": 1,
    "found": {
        "header_line": 3,
        "encoding": "cp1252",
        "delimiter": ";",
        "sheet": "",
        "columns": [{"column": "A", "heading": "Empresa", "field": "organisation"}],
        "ignored": ["Comida"],
        "hidden_rows": 12,
        "hidden_lines": [5, 6],
        "hidden_columns": ["Notas"],
        "other_lists": ["Espera"],
        "no_entries": [30],
    },
    "preview": None,
}
EDITION = {
    "edition_id": "edn_1",
    "name": "Foro",
    "phase": "open",
    "timezone": "Europe/Madrid",
    "days": [{"date": "2027-05-11"}],
    "warnings": [{"where": "/days/0", "message": "is a Sunday"}],
}
PAIRS = [("a", "b", "requested"), ("b", "a", "requested"), ("a", "c", "requested"), ("c", "b", "declined")]
LISTS: dict[str, list[dict[str, str]]] = {
    "match-requests": [{"requester_id": one, "target_id": other, "state": state} for one, other, state in PAIRS],
    "encounters": [{"state": "scheduled"}] * 2,
}
PROBLEM = {"type": "urn:tertulia:problem:invalid", "detail": "a fault", "errors": []}


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[httpx.Request]:
    """Answer the calls of the commands."""
    made: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        made.append(request)
        path = request.url.path
        if "imports" in path and request.content == b"broken":
            return httpx.Response(422, json=PROBLEM)
        if "imports" in path:
            is_copy = request.headers["accept"].startswith("text/csv")
            return httpx.Response(200, content=b"a marked copy") if is_copy else httpx.Response(200, json=REPORT)
        if noun := next((noun for noun in LISTS if path.endswith(f"/{noun}")), None):
            return httpx.Response(200, json={"items": LISTS[noun], "next": None})
        if request.method == "GET" and path.count("/") > 3:
            return httpx.Response(200, json={"items": [{"status": "active", "state": "accepted"}], "next": None})
        if path.endswith("/editions") and request.method == "GET":
            return httpx.Response(200, json={"items": [EDITION], "next": None})
        return httpx.Response(200, json=EDITION)

    for module in (editions, imports):
        monkeypatch.setattr(
            module,
            "client_of",
            lambda registration, _: httpx.Client(transport=httpx.MockTransport(answer), base_url=f"{registration}/v1"),
        )
    return made


def run(*arguments: str) -> Result:
    return CliRunner(env={"COLUMNS": "200"}).invoke(app, arguments)


def test_a_new_edition_has_the_days_breaks_and_tables_asked_for_and_its_id_is_the_last_line(
    calls: list[httpx.Request],
) -> None:
    days = ("--day", "2027-05-12", "--day", "2027-05-11", "--break", "9:30-10:00")
    place = ("--venue", "Palacio", "--address", "Calle Mayor 1", "--contact-email", "hola@example.org")
    done = run(
        "edition", "new", "Foro", *days, "--timezone", "Europe/Madrid", "--hours", "9:00-13:00", "--tables", "3", *place
    )
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[-1] == "edn_1"
    assert "is a Sunday" in done.stdout
    body = json.loads(calls[0].content)
    assert [day["date"] for day in body["days"]] == ["2027-05-11", "2027-05-12"]
    assert body["days"][0] | {"date": ""} == {
        "date": "",
        "starts": "09:00",
        "ends": "13:00",
        "breaks": [{"starts": "09:30", "ends": "10:00"}],
    }
    assert body["zones"][0]["tables"] == ["1", "2", "3"]
    assert body["consent_policy"] == "mutual"
    assert body["venue"] == {"name": "Palacio", "address": "Calle Mayor 1"}
    assert body["contact"] == {"email": "hola@example.org", "phone": None}


@pytest.mark.parametrize("hours", ["9", "14:00-09:00", "25:00-26:00", "morning", "09:00-09:00"])
def test_hours_that_are_none_are_refused_with_the_form_to_write(calls: list[httpx.Request], hours: str) -> None:
    done = run("edition", "new", "Foro", "--day", "2027-05-11", "--timezone", "Europe/Madrid", "--hours", hours)
    assert done.exit_code == 2
    assert "write it as 09:00-14:00" in " ".join(done.output.split())
    assert calls == []


def test_an_edition_is_counted_by_state_and_listed(calls: list[httpx.Request]) -> None:
    shown = run("edition", "show", "edn_1").stdout
    assert "Foro, open, 2027-05-11 (Europe/Madrid)" in shown
    counted = [line.split("│")[1:-1] for line in shown.splitlines() if "│" in line]
    assert [" ".join(" ".join(cells).split()) for cells in counted] == [
        "organisations active 1",
        "participants active 1",
        "match-requests asked by both 2",
        "match-requests declined 1",
        "match-requests unanswered 1",
        "encounters scheduled 2",
    ]
    assert "edn_1" in run("edition", "list").stdout


def test_a_list_is_shown_and_not_applied_without_a_terminal(calls: list[httpx.Request], tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_bytes(b"a list")
    done = run("import", "edn_1", "participants", f"{tmp_path}/people.csv")
    assert [dict(call.url.params) for call in calls] == [{"dry_run": "true"}]
    for text in (
        "Read from line 3 on (cp1252, cells between ';'): Empresa as organisation",
        "Columns that are not read: Comida",
        "12 hidden rows are not read (lines 5, 6): --hidden reads them too",
        "Sheets with a list that are not read: Espera. Import each with --sheet.",
        "Hidden columns that are read: Notas",
        "Lines of totals and notes that are no entries: 30",
        "2 created, 1 unchanged, 1 rejected",
        "'x' is no e-mail address",
        "1 entries are not in the list, and stay: Ana Peña",
        "--token t0k3n",
    ):
        assert text in done.stdout


def test_a_list_is_applied_with_the_token_of_the_effects_shown(calls: list[httpx.Request], tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_bytes(b"a list")
    done = run("import", "edn_1", "participants", f"{tmp_path}/people.csv", "--yes", "--sheet", "One", "--hidden")
    assert [dict(call.url.params) for call in calls] == [
        {"sheet": "One", "hidden": "true", "dry_run": "true"},
        {"sheet": "One", "hidden": "true", "token": "t0k3n"},
    ]
    assert done.stdout.splitlines()[-1].startswith("The list is applied: 2 created")


def test_a_marked_copy_is_written_and_nothing_applied(calls: list[httpx.Request], tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_bytes(b"a list")
    run("import", "edn_1", "participants", f"{tmp_path}/people.csv", "--marked", f"{tmp_path}/marked.csv")
    assert (tmp_path / "marked.csv").read_bytes() == b"a marked copy"
    assert [dict(call.url.params) for call in calls] == [{"dry_run": "true"}]


def test_a_file_that_is_not_there_and_a_list_that_is_refused_end_with_a_line(
    calls: list[httpx.Request], tmp_path: Path
) -> None:
    done = run("import", "edn_1", "participants", f"{tmp_path}/none.csv")
    assert (done.exit_code, "none.csv cannot be read" in done.output) == (1, True)
    (tmp_path / "broken.csv").write_bytes(b"broken")
    done = run("import", "edn_1", "participants", f"{tmp_path}/broken.csv")
    assert (done.exit_code, "a fault" in done.output) == (1, True)
