"""`tertulia people`: searches and corrections, against an API that the test plays."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from tertulia import people
from tertulia.cli import app

PERSON = {
    "edition_id": "edn_1",
    "participant_id": "prt_1",
    "organisation_id": "org_1",
    "name": "Ana [Ruiz]",
    "email": "ana@x.example",
    "status": "active",
}
ORGANISATION = {
    "edition_id": "edn_1",
    "organisation_id": "org_1",
    "name": "Forja",
    "country": "ES",
    "website": None,
    "status": "active",
}
MERGE = {
    "fields": ["phone"],
    "moved_requests": ["req_1"],
    "withdrawn_requests": [],
    "conflicts": [{"slug": "same-hour", "message": "both have an encounter", "ids": ["enc_1", "enc_2"]}],
    "agenda_known": False,
}


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[httpx.Request]:
    """Answer searches with a person or an organisation; none is named Nobody, and very many are named All."""
    made: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        made.append(request)
        name = request.url.params.get("name")
        if request.url.params.get("dry_run"):
            return httpx.Response(200, json={"token": "t0k3n", "preview": MERGE})
        if request.method != "GET":
            return httpx.Response(200, json={"revision": 2})
        item = ORGANISATION if request.url.path.endswith("organisations") else PERSON
        return httpx.Response(200, json={"items": [] if name == "Nobody" else [item], "more": name == "All"})

    monkeypatch.setattr(
        people,
        "client_of",
        lambda registration, _: httpx.Client(transport=httpx.MockTransport(answer), base_url=f"{registration}/v1"),
    )
    return made


def run(*arguments: str, **options: Any) -> Result:
    return CliRunner(env={"COLUMNS": "200"}).invoke(app, ["people", *arguments], **options)


def test_a_search_shows_people_of_all_editions(calls: list[httpx.Request]) -> None:
    result = run("find", "--email", "ana@x.example", "--name", "ana")
    assert result.exit_code == 0
    assert "Ana [Ruiz]" in result.stdout
    assert "edn_1" in result.stdout
    assert str(calls[0].url.copy_with(query=None)).endswith("/v1/participants")
    assert dict(calls[0].url.params) == {"name": "ana", "email": "ana@x.example", "limit": "200"}


def test_a_search_in_an_edition_names_it(calls: list[httpx.Request]) -> None:
    assert "Forja" in run("organisations", "--domain", "x.example", "--edition", "edn_1").stdout
    assert calls[0].url.path == "/v1/editions/edn_1/organisations"


def test_a_search_says_when_it_finds_none_or_too_many(calls: list[httpx.Request]) -> None:
    assert "None is found." in run("find", "--name", "Nobody").stdout
    assert "The first 200 are shown" in run("find", "--name", "All").stdout
    assert len(calls) == 2


def test_a_move_and_a_replacement_send_their_fields(calls: list[httpx.Request]) -> None:
    assert run("move", "edn_1", "prt_1", "org_2", "--token", "*").exit_code == 0
    person = ("--name", "Zoe", "--email", "zoe@x.example", "--language", "de", "--language", "en")
    assert "revision 2" in run("replace", "edn_1", "prt_1", *person, "--token", "*").stdout
    moved, replaced = calls
    assert (moved.method, json.loads(moved.content)) == ("PATCH", {"organisation_id": "org_2"})
    assert replaced.url.path == "/v1/editions/edn_1/participants/prt_1/replacement"
    assert json.loads(replaced.content) == {"name": "Zoe", "email": "zoe@x.example", "languages": ["de", "en"]}


def test_a_merge_is_shown_before_it_is_made(calls: list[httpx.Request]) -> None:
    shown = run("merge", "edn_1", "prt_1", "prt_2")
    assert "1 requests would move and 0 be withdrawn. Fields that change: phone." in shown.stdout
    assert "same-hour: both have an encounter (enc_1, enc_2)" in shown.stdout
    assert "--token t0k3n" in shown.stdout
    assert run("merge", "edn_1", "prt_1", "prt_2", "--token", "t0k3n").exit_code == 0
    assert [call.url.params.get("token") for call in calls] == [None, "t0k3n"]
