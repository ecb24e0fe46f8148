"""Notify's answer to the question whom mails have reached."""

from __future__ import annotations

import httpx

from services.notify.ports import NotAccepted, Refused
from shared.app import make_app
from tests.support.notify_stage import Stage, agenda, encounter, everybody


async def reach(stage: Stage, **query: str) -> list[tuple[str, str, str]]:
    transport = httpx.ASGITransport(make_app(stage.runtime))
    async with httpx.AsyncClient(
        transport=transport, base_url="http://notify", headers={"Authorization": "Bearer t"}
    ) as client:
        answer = await client.get("/internal/editions/edn_1/reach", params=query)
    assert answer.status_code == 200, answer.text
    return [(item["participant_id"], item["state"], item["reason"]) for item in answer.json()["items"]]


async def test_the_state_of_each_newest_mail_is_told_by_participant() -> None:
    stage = Stage(internal_token="t", smtp_connections=1)
    await stage.consume(*everybody())
    await stage.consume(agenda(1, encounter(0, 1)), agenda(1, encounter(0, 0), number=1))
    assert await reach(stage) == [("prt_0", "held", ""), ("prt_1", "held", "")]
    stage.mailer.plans = [Refused("the mail server answered 550"), NotAccepted("the mail server answered 451")]
    await stage.after(60)
    assert sorted(state[1:] for state in await reach(stage)) == [
        ("postponed", "the mail server answered 451"),
        ("refused", "the mail server answered 550"),
    ]
    await stage.after(60)
    assert sorted(state[1:] for state in await reach(stage)) == [
        ("reached", ""),
        ("refused", "the mail server answered 550"),
    ]


async def test_an_unconfirmed_mail_is_told_and_pages_go_on() -> None:
    stage = Stage(internal_token="t", smtp_connections=1)
    await stage.consume(*everybody())
    stage.mailer.drop_after_data("lost")
    await stage.consume(agenda(1, encounter(0, 1)), agenda(1, encounter(0, 0), number=1))
    await stage.after(60)
    assert {state for _, state, _ in await reach(stage)} == {"unconfirmed", "reached"}
    assert len(await reach(stage, limit="1")) == 1
    assert [found[0] for found in await reach(stage, after="prt_0")] == ["prt_1"]


async def test_strangers_are_refused() -> None:
    stage = Stage(internal_token="t")
    transport = httpx.ASGITransport(make_app(stage.runtime))
    async with httpx.AsyncClient(transport=transport, base_url="http://notify") as client:
        assert (await client.get("/internal/editions/edn_1/reach")).status_code == 401
