"""The endpoints of the change feeds, with the events service behind them, both on servers in memory."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from services.events.app import WiredEvents, assemble
from services.events.settings import Settings as EventsSettings
from services.registration.api.access import ApiContext
from services.registration.app import make_api
from services.registration.internal_clients import InternalClient
from services.registration.waiting_readers import MOST_READERS
from shared.access import Scope, StaffRole
from shared.messaging.inputs import Input, Position
from tests.support.principals import client_as, key_principal, staff_principal
from tests.support.registration_api import EditionHarness, RegistrationHarness, organisation_body
from tests.support.servers import Servers

TOKEN = "t" * 40


class Stage:
    """Registration and the events service; `settle` hands all published events over."""

    def __init__(self, registration: RegistrationHarness) -> None:
        self.registration = registration
        self.wired: WiredEvents = assemble(EventsSettings(internal_token=TOKEN), Servers().infrastructure())
        transport = httpx.ASGITransport(Starlette(routes=self.wired.runtime.routes))
        headers = {"Authorization": f"Bearer {TOKEN}"}
        client = httpx.AsyncClient(transport=transport, base_url="http://events", headers=headers)
        clients = dataclasses.replace(registration.context.clients, events=InternalClient("events", client))
        self.context = dataclasses.replace(registration.context, clients=clients)

    async def settle(self) -> None:
        for offset, event in enumerate(await self.registration.published()):
            await self.wired.feeds.consume(event.edition_id, [Input(event, Position("t", 0, offset))])
        await self.wired.watch.look()


@pytest.fixture
async def stage(registration: RegistrationHarness) -> Stage:
    return Stage(registration)


@pytest.fixture
def context(stage: Stage) -> ApiContext:
    return stage.context


@pytest.fixture
async def settled(stage: Stage, edition: EditionHarness) -> EditionHarness:
    await stage.settle()
    return edition


async def items(client: httpx.AsyncClient, path: str, **params: Any) -> list[dict[str, Any]]:
    answer = await client.get(path, params=params)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def test_a_reader_follows_an_edition_by_the_cursor(
    stage: Stage, api: httpx.AsyncClient, settled: EditionHarness
) -> None:
    path = f"{settled.path}/events"
    first = (await api.get(path, params={"limit": 2})).json()
    rest = (await api.get(path, params={"after": first["next"]})).json()
    assert len(first["items"]) == 2
    assert (await api.get(path, params={"after": rest["next"]})).json() == {"items": [], "next": rest["next"]}
    await settled.request(0, 2)
    await stage.settle()
    [request] = await items(api, path, after=rest["next"])
    assert request["type"] == "org.tertulia.match-request.changed.v1"
    assert request["data"]["state"] == "requested"
    assert {"specversion": "1.0", "datacontenttype": "application/json"}.items() <= request.items()


async def test_an_edition_without_events_yet_is_waited_for(
    stage: Stage, api: httpx.AsyncClient, edition: EditionHarness
) -> None:
    path = f"{edition.path}/events"
    empty = (await api.get(path)).json()
    assert empty["items"] == []
    waiting = asyncio.create_task(api.get(path, params={"after": empty["next"], "wait": 30, "types": "participant"}))
    await asyncio.sleep(0.05)
    await stage.settle()
    assert {item["type"] for item in (await waiting).json()["items"]} == {"org.tertulia.participant.changed.v1"}


async def test_the_operator_s_feed_has_its_editions_and_no_edition_else(
    stage: Stage, api: httpx.AsyncClient, rival: httpx.AsyncClient, settled: EditionHarness
) -> None:
    other = await EditionHarness(rival).set_up()
    await stage.settle()
    assert {item["data"]["edition_id"] for item in await items(api, "/events")} == {settled.edition_id}
    assert {item["data"]["edition_id"] for item in await items(rival, "/events")} == {other.edition_id}
    assert (await rival.get(f"{settled.path}/events")).status_code == 404
    assert (await rival.get(f"{settled.path}/events/stream")).status_code == 404


async def test_names_come_with_the_right_to_see_them(context: ApiContext, settled: EditionHarness) -> None:
    seen = {}
    for scopes in ((Scope.READ,), (Scope.READ, Scope.DIRECTORY)):
        async with client_as(context, key_principal(*scopes)) as client:
            found = await items(client, f"{settled.path}/events", types="participant")
            seen[scopes] = found[0]["data"]
    assert not {"name", "email", "phone"} & seen[Scope.READ,].keys()
    assert {"name", "email"} <= seen[Scope.READ, Scope.DIRECTORY].keys()


async def test_rights_decide_who_reads(context: ApiContext, settled: EditionHarness) -> None:
    own = frozenset({settled.edition_id})
    allowed = {
        (key_principal(Scope.READ), "/events"): 200,
        (key_principal(Scope.READ, editions=own), "/events"): 403,
        (key_principal(Scope.READ, editions=own), f"{settled.path}/events"): 200,
        (key_principal(Scope.DESK), f"{settled.path}/events"): 403,
        (staff_principal(StaffRole.GOVERNMENT), f"{settled.path}/events"): 403,
        (staff_principal(StaffRole.ORGANISER), "/events"): 200,
    }
    for (principal, path), status in allowed.items():
        async with client_as(context, principal) as client:
            assert (await client.get(path)).status_code == status, (principal, path)


async def test_an_erased_person_has_no_name_in_the_feed(
    stage: Stage, api: httpx.AsyncClient, settled: EditionHarness
) -> None:
    person = settled.participants[0]
    path = f"{settled.path}/events"
    name = (await items(api, path, thing=f"participant/{person}"))[0]["data"]["name"]
    erased = await api.post(f"{settled.path}/participants/{person}/erasure")
    assert erased.status_code < 300, erased.text
    await stage.settle()
    found = await items(api, path, thing=f"participant/{person}", limit=500)
    assert found[-1]["type"] == "org.tertulia.participant.erased.v1"
    assert name not in json.dumps(found)


@pytest.mark.parametrize(
    ("params", "status", "told"),
    [
        ({"after": "yesterday"}, 422, "is no cursor"),
        ({"after": "abcdefabcdef.7"}, 410, "was made anew"),
        ({"types": "agenda,meeting"}, 422, "'meeting' is no kind of events: take edition, organisation"),
        ({"wait": 600}, 422, "60"),
        ({"cursor": "x"}, 422, "no such parameter"),
    ],
)
async def test_a_reader_is_told_the_fault(
    api: httpx.AsyncClient, settled: EditionHarness, params: dict[str, Any], status: int, told: str
) -> None:
    answer = await api.get(f"{settled.path}/events", params=params)
    assert (answer.status_code, told in answer.text) == (status, True), answer.text


async def test_a_snapshot_begins_with_the_newest_of_all_things(
    stage: Stage, api: httpx.AsyncClient, settled: EditionHarness
) -> None:
    created = await api.post(f"{settled.path}/organisations", json=organisation_body(name="New"))
    path = created.headers["location"].removeprefix("/v1")
    await api.patch(path, json={"name": "Newer"}, headers={"If-Match": "*"})
    await stage.settle()
    found = await items(api, f"{settled.path}/events", **{"from": "snapshot", "limit": 500})
    assert len({item["subject"] for item in found}) == len(found)
    assert found[-1]["data"]["revision"] == 2


async def test_a_stream_sends_items_with_their_cursors(
    context: ApiContext, api: httpx.AsyncClient, settled: EditionHarness
) -> None:
    expected = await items(api, f"{settled.path}/events")
    found = await events_of(context, f"{settled.path}/events/stream?after={expected[0]['cursor']}", len(expected) - 1)
    assert found == expected[1:]


async def test_a_reader_too_many_is_told_to_come_later(
    context: ApiContext, api: httpx.AsyncClient, settled: EditionHarness
) -> None:
    newest = (await api.get(f"{settled.path}/events", params={"limit": 500})).json()["next"]
    waits = [context.readers.waiting("itecam") for _ in range(MOST_READERS)]
    for wait in waits:
        wait.__enter__()
    answer = await api.get(f"{settled.path}/events", params={"after": newest, "wait": 1})
    assert (answer.status_code, answer.json()["type"]) == (429, "urn:tertulia:problem:too-many-readers")
    for wait in waits:
        wait.__exit__(None, None, None)


async def test_feeds_answer_503_without_their_service(registration: RegistrationHarness) -> None:
    async with client_as(registration.context, key_principal(Scope.READ)) as client:
        assert (await client.get("/events")).status_code == 503


async def events_of(context: ApiContext, path: str, count: int) -> list[dict[str, Any]]:
    """Return the data of the first items of a stream, which has no end of its own."""
    text, has_all = bytearray(), asyncio.Event()
    headers = [(b"authorization", b"Bearer itecam.s3cret"), (b"host", b"registration")]
    route, _, query = f"/v1{path}".partition("?")
    scope = {
        "type": "http", "method": "GET", "path": route, "raw_path": route.encode(), "query_string": query.encode(),
        "headers": headers, "client": ("127.0.0.1", 1), "server": ("registration", 80), "scheme": "http",
        "http_version": "1.1", "asgi": {"version": "3.0"}, "root_path": "",
    }  # fmt: skip
    asked = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> dict[str, Any]:
        if not asked:
            await asyncio.Event().wait()  # the reader stays
        return asked.pop()

    async def send(message: Any) -> None:
        text.extend(message.get("body", b""))
        if text.count(b"data: ") >= count:
            has_all.set()

    serving = asyncio.create_task(make_api(context)(scope, receive, send))
    async with asyncio.timeout(30):
        await has_all.wait()
    serving.cancel()
    blocks = [block for block in text.decode().split("\n\n") if "data: " in block]
    return [json.loads(block.partition("data: ")[2]) for block in blocks[:count]]
