"""`tertulia webhooks` against an API that the test plays."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from tertulia import webhooks
from tertulia.cli import app

WEBHOOK: dict[str, Any] = {
    "webhook_id": "whk_1",
    "label": "CRM",
    "is_disabled": False,
    "disabled_reason": "",
    "failing_since": None,
    "edition_id": None,
    "types": ["org.tertulia.agenda.changed.v1"],
    "last_delivered_at": "2026-11-26T09:00:00Z",
    "url": "https://crm.example.org/hook",
    "secret": "whsec_shown-once",
}
TRY = {"at": "2026-11-26T09:00:00Z", "status": 500, "seconds": 0.25, "error": "the receiver answered 500"}
DELIVERY: dict[str, Any] = {
    "message_id": "msg_1",
    "state": "failed",
    "type": "org.tertulia.agenda.changed.v1",
    "edition_id": "edn_1",
    "thing": "agenda.v1/participant/prt_1",
    "created_at": "2026-11-26T09:00:00Z",
    "due_at": None,
    "tries": [TRY],
    "tries_made": 10,
    "response_body": "defect",
}


class Api:
    """Answers of registration, and the requests that were made."""

    def __init__(self) -> None:
        self.made: list[tuple[str, str, Any]] = []
        self.webhooks = [WEBHOOK]
        self.delivery = DELIVERY

    def answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/v1")
        self.made.append((request.method, path, json.loads(request.content) if request.content else None))
        if path.endswith("/test"):
            return httpx.Response(200, json=self.delivery)
        if path.endswith("/replay"):
            return httpx.Response(202, json={"deliveries": 3})
        if path.endswith("/deliveries"):
            return httpx.Response(200, json={"items": [self.delivery], "next": None})
        return httpx.Response(200, json=WEBHOOK if request.method == "POST" else {"items": self.webhooks})


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Api:
    played = Api()
    transport = httpx.MockTransport(played.answer)
    monkeypatch.setattr(
        webhooks, "client_of", lambda *_: httpx.Client(base_url="http://registration/v1", transport=transport)
    )
    return played


def run(*arguments: str, exit_code: int = 0) -> str:
    result = CliRunner().invoke(app, ["webhooks", *arguments])
    assert result.exit_code == exit_code, result.output
    return result.output


def test_webhooks_are_listed_with_their_state_and_without_secrets(api: Api) -> None:
    shown = run("list")
    assert "whk_1" in shown
    assert "at work" in shown
    assert "agenda.changed" in shown
    assert "whsec_" not in shown
    api.webhooks = [WEBHOOK | {"is_disabled": True, "disabled_reason": "no message was delivered for 5 days"}]
    assert "disabled: no message was delivered for 5 days" in run("list")
    api.webhooks = []
    assert "no webhooks" in run("list")


def test_an_added_webhook_is_printed_with_its_secret(api: Api) -> None:
    shown = run("add", "https://crm.example.org/hook", "--edition", "edn_1", "--type", "agenda", "--from-start")
    assert "whsec_shown-once" in shown
    [(_, path, body)] = api.made
    assert path == "/webhooks"
    assert (body["edition_id"], body["types"], body["from_start"]) == ("edn_1", ["agenda"], True)


def test_a_test_prints_the_answer_and_fails_if_it_is_not_taken(api: Api) -> None:
    shown = run("test", "whk_1", exit_code=1)
    assert "the receiver answered 500" in shown
    assert "defect" in shown
    api.delivery = DELIVERY | {"state": "delivered", "tries": [TRY | {"status": 204, "error": ""}]}
    assert "taken: 204 after 0.25 s" in run("test", "whk_1")


def test_deliveries_are_listed_with_the_outcome_of_their_last_try(api: Api) -> None:
    shown = run("deliveries", "whk_1", "--state", "failed")
    assert "edn_1/participant/prt_1" in shown
    assert "the receiver answered 500" in shown


def test_a_message_or_a_time_is_replayed(api: Api) -> None:
    assert "3 deliveries are sent again" in run("replay", "whk_1", "--message", "msg_1")
    run("replay", "whk_1", "--from", "2026-11-26T09:00Z", "--delivered")
    assert api.made[0][1] == "/webhooks/whk_1/deliveries/msg_1/replay"
    assert api.made[1][2] == {"from": "2026-11-26T09:00Z", "to": None, "only_failed": False}
