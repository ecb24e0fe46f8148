from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from demo import client as client_module
from demo.client import IN_FLIGHT, RegistrationClient, RegistrationRefused, run_in_flight, run_together


@asynccontextmanager
async def calling(answer: Callable[[web.Request], web.Response]) -> AsyncIterator[RegistrationClient]:
    async def handle(request: web.Request) -> web.Response:
        return answer(request)

    application = web.Application()
    application.router.add_route("*", "/v1/{path:.*}", handle)
    async with (
        TestServer(application) as server,
        RegistrationClient(str(server.make_url("")).rstrip("/"), "demo.secret", "demo-1") as client,
    ):
        yield client


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "_FIRST_PAUSE", 0.0)


def cut(request: web.Request) -> web.Response:
    assert request.transport
    request.transport.close()
    return web.Response()


async def test_a_post_is_repeated_under_the_same_key_until_registration_is_back() -> None:
    keys: list[str] = []

    def answer(request: web.Request) -> web.Response:
        keys.append(request.headers["Idempotency-Key"])
        if len(keys) == 1:
            return cut(request)
        if len(keys) == 2:
            return web.Response(status=503)
        return web.json_response({"edition_id": "edn_1"}, status=201)

    async with calling(answer) as client:
        assert await client.post("/editions", "edition", {}) == {"edition_id": "edn_1"}
    assert keys == ["demo-1-edition"] * 3


async def test_a_refusal_is_not_repeated() -> None:
    keys: list[str] = []

    def answer(request: web.Request) -> web.Response:
        keys.append(request.headers["Authorization"])
        return web.json_response({"title": "no"}, status=422)

    async with calling(answer) as client:
        with pytest.raises(RegistrationRefused, match="422") as refused:
            await client.patch("/editions/edn_1", {"phase": "published"})
    assert refused.value.status == 422
    assert keys == ["Bearer demo.secret"]


async def test_an_unanswered_call_is_repeated_at_a_spare_address() -> None:
    asked: list[str] = []

    def answer(request: web.Request) -> web.Response:
        asked.append(request.headers["If-Match"])
        return web.json_response({})

    async with (
        calling(answer) as there,
        RegistrationClient(
            "http://127.0.0.1:9", "demo.secret", "demo-1", spares=[there._addresses[0]], call_seconds=1.0
        ) as client,
    ):
        await client.patch("/editions/edn_1", {}, revision=3)
        await client.patch("/editions/edn_1", {}, revision=4)
    assert asked == ['"3"', '"4"']


async def test_a_call_is_given_up_after_the_retry_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "RETRY_SECONDS", 0.0)
    async with calling(cut) as client:
        with pytest.raises(RegistrationRefused, match="stayed away"):
            await client.get("/editions")


async def test_items_are_started_in_order_and_in_flight_is_limited() -> None:
    begun: list[int] = []
    at_once, most = 0, 0

    async def work(thing: int) -> None:
        nonlocal at_once, most
        begun.append(thing)
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0)
        at_once -= 1

    await run_in_flight(range(100), work)
    assert begun == list(range(100))
    assert most == IN_FLIGHT


async def test_the_first_error_cancels_the_rest_and_is_raised_itself() -> None:
    ended: list[str] = []

    async def fails() -> None:
        raise RegistrationRefused("no")

    async def lasts() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("lasts")

    with pytest.raises(RegistrationRefused, match="no"):
        await run_together(lasts(), fails())
    assert ended == ["lasts"]
