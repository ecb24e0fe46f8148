"""`tertulia proposals`: pages of proposals in a table, against an API that the test plays."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from tertulia import proposals
from tertulia.cli import app


def proposal(number: int) -> dict[str, Any]:
    return {
        "pair_id": f"pair_{number}",
        "participant_ids": ["prt_1", f"prt_{number}"],
        "score": 0.9 - number / 100,
        "reasons": [{"code": "need.offer", "weight": 0.5}],
        "consent": "pending",
    }


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[httpx.Request]:
    """Answer with two pages of a proposal each; nothing is proposed to participant prt_9."""
    made: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        made.append(request)
        query = request.url.params
        is_last = "after" in query or query.get("participant_id") == "prt_9"
        items = [] if query.get("participant_id") == "prt_9" else [proposal(3 if is_last else 2)]
        told = {f"pair_{n}": {"prt_1": f"They offer {n} robots.", f"prt_{n}": ""} for n in (2, 3)}
        names = {"prt_1": "Ana", "prt_2": "Beto", "prt_3": "Cleo"}
        return httpx.Response(
            200, json={"items": items, "names": names, "told": told, "next": None if is_last else "88-pair_2"}
        )

    client = httpx.Client(base_url="http://registration/v1", transport=httpx.MockTransport(answer))
    monkeypatch.setattr(proposals, "client_of", lambda *_: client)
    return made


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["proposals", "edn_1", *arguments])
    assert result.exit_code == 0, result.output
    return result.output


def test_all_pages_are_listed_best_first_with_names_and_reasons(calls: list[httpx.Request]) -> None:
    shown = run()
    assert shown.index("Beto (prt_2)") < shown.index("Cleo (prt_3)")
    assert "need.offer 0.50" in shown
    assert "Ana reads: They offer 2 robots." in shown
    assert "Beto reads" not in shown
    assert "0.88" in shown
    assert calls[1].url.params["after"] == "88-pair_2"


def test_no_more_pages_are_read_than_are_shown(calls: list[httpx.Request]) -> None:
    assert "Cleo" not in run("--most", "1")
    assert len(calls) == 1


def test_a_participant_without_proposals_is_said_so(calls: list[httpx.Request]) -> None:
    assert "No pair is proposed." in run("--participant", "prt_9")
    assert calls[0].url.params["participant_id"] == "prt_9"
