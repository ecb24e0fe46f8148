from __future__ import annotations

import asyncio
from collections.abc import Callable

import httpx
import pytest

from deploy.demo import client as client_module
from deploy.demo.client import IN_FLIGHT, Refused, RegistrationClient, in_flight, together


def calling(answer: Callable[[httpx.Request], httpx.Response]) -> RegistrationClient:
    client = RegistrationClient("http://registration.example", "demo.secret", "demo-1")
    client._http = httpx.AsyncClient(
        base_url=client._http.base_url, headers=client._http.headers, transport=httpx.MockTransport(answer)
    )
    return client


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "_FIRST_PAUSE", 0.0)


async def test_a_post_is_repeated_under_the_same_key_until_registration_is_back() -> None:
    keys: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        keys.append(request.headers["Idempotency-Key"])
        if len(keys) == 1:
            raise httpx.ConnectError("killed")
        if len(keys) == 2:
            return httpx.Response(503)
        return httpx.Response(201, json={"edition_id": "edn_1"})

    async with calling(answer) as client:
        assert await client.post("/editions", "edition", {}) == {"edition_id": "edn_1"}
    assert keys == ["demo-1-edition"] * 3


async def test_a_refusal_is_not_repeated() -> None:
    calls: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        calls.append(request)
        return httpx.Response(422, json={"title": "no"})

    async with calling(answer) as client:
        with pytest.raises(Refused, match="422"):
            await client.patch("/editions/edn_1", {"phase": "published"})
    assert len(calls) == 1
    assert calls[0].headers["Authorization"] == "Bearer demo.secret"


async def test_patience_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "PATIENCE_SECONDS", 0.0)

    def answer(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("away")

    async with calling(answer) as client:
        with pytest.raises(Refused, match="stayed away"):
            await client.get("/editions")


async def test_work_begins_in_order_and_only_so_much_at_a_time() -> None:
    begun: list[int] = []
    at_once, most = 0, 0

    async def work(thing: int) -> None:
        nonlocal at_once, most
        begun.append(thing)
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0)
        at_once -= 1

    await in_flight(range(100), work)
    assert begun == list(range(100))
    assert most == IN_FLIGHT


async def test_the_first_error_ends_all_and_comes_out_as_it_is() -> None:
    ended: list[str] = []

    async def fails() -> None:
        raise Refused("no")

    async def lasts() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("lasts")

    with pytest.raises(Refused, match="no"):
        await together(lasts(), fails())
    assert ended == ["lasts"]
