"""`tertulia change`: a preview, its confirmation, and the undoing, against an API that the test plays."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from tertulia import changes
from tertulia.cli import app

PLACE = {
    "slot": 0,
    "starts_at": "2026-11-26T08:00:00Z",
    "ends_at": "2026-11-26T08:15:00Z",
    "zone_id": "w",
    "table": "1",
}
EFFECT = {
    "encounter_id": "enc_1",
    "before": PLACE,
    "after": None,
    "participant_ids_before": ["prt_1", "prt_2"],
    "participant_ids_after": ["prt_1", "prt_2"],
    "waiting_reason": "no_table",
}
COUNTS = {"encounters": 9, "moved": 0, "placed": 0, "waiting": 1, "cancelled": 0, "people": 2, "mailed": 2}
PREVIEW = {
    "effects": "x",
    "announced": True,
    "counts": COUNTS,
    "moved": [],
    "placed": [],
    "waiting": [EFFECT],
    "cancelled": [],
    "mailed": ["prt_1", "prt_2"],
    "outside": ["talk"],
    "names": {"prt_1": "Ana", "prt_2": "Beto"},
}
TRIED = {"token": "t0k3n", "preview": PREVIEW, "warnings": [{"where": "/days/0", "message": "has passed"}]}


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[httpx.Request]:
    """Answer calls of the command: a dry run with a preview, the token of it with an entity, others with 412."""
    made: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        made.append(request)
        query = request.url.params
        if request.method == "GET":
            item = {
                "amendment_id": "amd_1",
                "amended_at": "2026-11-01T09:00:00Z",
                "kind": "edition",
                "entity_id": "edn_1",
            }
            return httpx.Response(200, json={"items": [item | {"after": {"zones": []}}], "next": None})
        if query.get("dry_run") == "true":
            return httpx.Response(200, json=TRIED)
        if query.get("token") in ("t0k3n", "*"):
            done = {"revision": 7, "left": [{"where": "/days", "message": "has changed"}]}
            return httpx.Response(200, json=done, headers={"Tertulia-Amendment": "amd_2"})
        problem = {"type": "urn:tertulia:problem:preview-stale", "detail": "stale"}
        return httpx.Response(412, json=problem | TRIED)

    monkeypatch.setattr(
        changes,
        "client_of",
        lambda registration, _: httpx.Client(transport=httpx.MockTransport(answer), base_url=f"{registration}/v1"),
    )
    return made


def run(*arguments: str, **options: Any) -> Result:
    return CliRunner(env={"COLUMNS": "200"}).invoke(app, ["change", *arguments], **options)


def test_a_change_is_shown_and_not_made_without_a_terminal(calls: list[httpx.Request]) -> None:
    done = run("edition", "edn_1", '{"zones": []}')
    assert done.exit_code == 0, done.output
    assert [(call.method, call.url.path) for call in calls] == [("PATCH", "/v1/editions/edn_1")]
    assert json.loads(calls[0].content) == {"zones": []}
    for text in (
        "Of 9 encounters 0 would move, 1 lose",
        "Ana, Beto",
        "no_table",
        "2026-11-26 08:00Z w 1",
        "talk",
        "has passed",
    ):
        assert text in done.output
    assert "Nothing was changed. To make this change: --token t0k3n" in done.output


@pytest.mark.parametrize("arguments", [["--yes"], ["--token", "t0k3n"], ["--token", "*"]])
def test_a_confirmed_change_is_made(calls: list[httpx.Request], arguments: list[str]) -> None:
    done = run("participant", "edn_1", "prt_1", '{"available": []}', *arguments)
    assert done.exit_code == 0, done.output
    assert "revision 7" in done.output
    assert "tertulia change undo edn_1 amd_2" in done.output
    assert calls[-1].url.path == "/v1/editions/edn_1/participants/prt_1"
    assert calls[-1].url.params["token"] == (arguments[-1] if len(arguments) > 1 else "t0k3n")


def test_a_person_at_a_terminal_is_asked(calls: list[httpx.Request], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "is_confirmed", lambda: True)
    assert "revision 7" in run("cancel", "edn_1", "org_1").output
    assert [call.url.path for call in calls] == ["/v1/editions/edn_1/organisations/org_1/cancellation"] * 2


def test_an_edition_is_postponed_after_a_look(calls: list[httpx.Request]) -> None:
    assert "revision 7" in run("postpone", "--yes", "edn_1", "--", "-7").output
    assert [call.url.path for call in calls] == ["/v1/editions/edn_1/postponements"] * 2
    assert [(json.loads(call.content), call.headers["If-Match"]) for call in calls] == [({"days": -7}, "*")] * 2


def test_a_stale_token_shows_the_present_effects(calls: list[httpx.Request]) -> None:
    done = run("cancel", "edn_1", "prt_1", "--token", "old")
    assert done.exit_code == 1
    assert "Ana, Beto" in done.output
    assert "--token t0k3n" in done.output


def test_changes_are_listed_and_undone(calls: list[httpx.Request]) -> None:
    assert "amd_1" in run("list", "edn_1").output
    done = run("undo", "edn_1", "amd_1", "--yes")
    assert "left: /days has changed" in done.output
    assert calls[-1].url.path == "/v1/editions/edn_1/amendments/amd_1/undo"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["edition", "edn_1", "{"], "is no JSON merge patch"),
        (["edition", "edn_1", "@/none/such"], "is no JSON merge patch"),
        (["edition", "edn_1", "{}"], "set TERTULIA_API_KEY"),
        (["edition", "edn_1", "{}", "--key", "k", "--registration", "http://127.0.0.1:9"], "does not answer"),
    ],
)
def test_an_unusable_call_says_why(arguments: list[str], message: str) -> None:
    done = run(*arguments)
    assert done.exit_code == 1
    assert message in done.output
