"""Webhooks over the API: the events service answers in the same process."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from services.registration.api.access import ApiContext
from services.registration.internal_clients import InternalClients
from shared.access import Scope, StaffRole
from tests.support.notify_stage import participant
from tests.support.principals import client_as, key_principal, staff_principal
from tests.support.registration_api import EditionHarness, RegistrationHarness, client_of
from tests.support.webhook_stage import REFUSED, WebhookStage

URL = WebhookStage.URL
BODY: dict[str, Any] = {"url": URL, "label": "CRM"}


@pytest.fixture
async def stage() -> WebhookStage:
    return WebhookStage(internal_token="t0ken")


@pytest.fixture
def context(registration: RegistrationHarness, stage: WebhookStage) -> ApiContext:
    none = registration.context.clients
    clients = InternalClients(none.matching, none.scheduler, events=stage.client())
    return dataclasses.replace(registration.context, clients=clients)


@pytest.fixture
async def api(context: ApiContext) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(context, "itecam") as client:
        yield client


async def made(api: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    answer = await api.post("/webhooks", json=BODY | fields)
    assert answer.status_code == 201, answer.text
    created: dict[str, Any] = answer.json()
    return created


async def test_a_webhook_is_made_read_changed_and_deleted(api: httpx.AsyncClient) -> None:
    webhook = await made(api, types=["agenda", "org.tertulia.participant.erased.v1"])
    path = f"/webhooks/{webhook['webhook_id']}"
    assert webhook["secret"].startswith("whsec_")
    assert webhook["types"] == ["org.tertulia.agenda.changed.v1", "org.tertulia.participant.erased.v1"]
    read = await api.get(path)
    assert read.headers["etag"] == '"1"'
    assert "secret" not in read.json()
    assert (await api.get("/webhooks")).json()["items"] == [read.json()]
    without = await api.patch(path, json={"label": "New"})
    assert without.status_code == 428
    changed = await api.patch(path, json={"label": "New", "types": None}, headers={"If-Match": '"1"'})
    assert (changed.json()["label"], changed.json()["types"], changed.json()["revision"]) == ("New", [], 2)
    stale = await api.patch(path, json={"label": "Other"}, headers={"If-Match": '"1"'})
    assert stale.status_code == 412
    assert (await api.delete(path)).status_code == 204
    assert (await api.get(path)).status_code == 404


@pytest.mark.parametrize(
    ("fields", "pointer", "words"),
    [
        ({"url": "https://10.0.0.1/"}, "/url", "the address 10.0.0.1 is private"),
        ({"url": "http://crm.example.org/"}, "/url", "only https is permitted"),
        ({"url": ""}, "/url", ""),
        ({"url": 5}, "/url", ""),
        ({"label": ""}, "/label", ""),
        ({"types": ["agenda", "weather"]}, "/types/1", "'weather' is no kind of events"),
        ({"types": "agenda"}, "/types", ""),
        ({"edition_id": "edn_none"}, "/edition_id", "there is no such edition"),
        ({"algorithm": "md5"}, "/algorithm", ""),
        ({"secret": "whsec_x"}, "/secret", ""),
    ],
)
async def test_a_wrong_fact_is_refused_with_its_place(
    api: httpx.AsyncClient, fields: dict[str, Any], pointer: str, words: str
) -> None:
    answer = await api.post("/webhooks", json=BODY | fields)
    assert answer.status_code == 422, answer.text
    [fault] = answer.json()["errors"]
    assert fault["pointer"] == pointer
    assert words in fault["detail"]


async def test_a_wrong_change_is_refused_with_its_place(api: httpx.AsyncClient) -> None:
    path = f"/webhooks/{(await made(api))['webhook_id']}"
    answer = await api.patch(path, json={"url": "https://localhost/"}, headers={"If-Match": "*"})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/url")


async def test_a_rotation_shows_the_new_secret_once_and_both_are_at_work(api: httpx.AsyncClient) -> None:
    webhook = await made(api)
    path = f"/webhooks/{webhook['webhook_id']}"
    rotated = (await api.post(f"{path}/secret", json={"algorithm": "ed25519"})).json()
    assert rotated["secret"].startswith("whpk_")
    read = (await api.get(path)).json()
    assert (read["algorithm"], read["secrets_at_work"], read["public_keys"]) == ("ed25519", 2, [rotated["secret"]])


async def test_deliveries_are_listed_by_pages_and_replayed(api: httpx.AsyncClient, stage: WebhookStage) -> None:
    webhook = await made(api, from_start=True)
    path = f"/webhooks/{webhook['webhook_id']}"
    ours = [
        participant(number).model_copy(update={"operator_id": "itecam", "edition_id": "edn_1"}) for number in range(5)
    ]
    await stage.tell(*ours)
    await stage.work()
    listed, after = [], ""
    while after is not None:
        page = (await api.get(f"{path}/deliveries", params={"limit": 2, "after": after})).json()
        listed += page["items"]
        after = page["next"]
    assert len({item["message_id"] for item in listed}) == 5
    assert {item["state"] for item in listed} == {"delivered"}
    assert (await api.get(f"{path}/deliveries", params={"state": "failed"})).json()["items"] == []
    message_id = listed[0]["message_id"]
    single = await api.post(f"{path}/deliveries/{message_id}/replay")
    assert (single.status_code, single.json()) == (202, {"deliveries": 1})
    everything = {"from": "2000-01-01T00:00Z", "to": "2100-01-01T00:00Z", "only_failed": False}
    assert (await api.post(f"{path}/replay", json=everything)).json() == {"deliveries": 4}
    assert (await api.post(f"{path}/replay", json={})).json() == {"deliveries": 0}
    backwards = await api.post(f"{path}/replay", json={"from": everything["to"], "to": everything["from"]})
    assert backwards.status_code == 422
    for unknown in ("msg_none", "no id"):
        assert (await api.post(f"{path}/deliveries/{unknown}/replay")).status_code == 404


async def test_a_test_message_tells_the_receivers_answer(api: httpx.AsyncClient, stage: WebhookStage) -> None:
    stage.receivers.plays[URL] = lambda _: REFUSED
    path = f"/webhooks/{(await made(api))['webhook_id']}"
    tested = (await api.post(f"{path}/test")).json()
    assert (tested["state"], tested["tries"][0]["status"], tested["response_body"]) == ("failed", 500, "defect")


async def test_another_operator_and_an_unknown_id_get_the_same_answer(
    api: httpx.AsyncClient, context: ApiContext
) -> None:
    webhook = await made(api)
    async with client_of(context, "rival") as rival:
        foreign = await rival.get(f"/webhooks/{webhook['webhook_id']}")
        unknown = await rival.get("/webhooks/whk_none")
        assert (await rival.get("/webhooks")).json() == {"items": []}
    assert foreign.status_code == unknown.status_code == 404
    assert foreign.json() | {"instance": ""} == unknown.json() | {"instance": ""}


async def test_a_key_of_some_editions_has_the_webhooks_of_these_editions_only(
    api: httpx.AsyncClient, context: ApiContext, edition: EditionHarness
) -> None:
    of_all = await made(api)
    principal = key_principal(Scope.WEBHOOKS, editions=frozenset({edition.edition_id}))
    async with client_as(context, principal) as client:
        refused = await client.post("/webhooks", json=BODY)
        assert refused.json()["errors"][0]["detail"] == "your rights are for some editions: name one of them"
        own = await made(client, edition_id=edition.edition_id)
        assert [item["webhook_id"] for item in (await client.get("/webhooks")).json()["items"]] == [own["webhook_id"]]
        for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/test"), ("GET", "/deliveries")):
            assert (await client.request(method, f"/webhooks/{of_all['webhook_id']}{path}")).status_code == 404
        widened = await client.patch(
            f"/webhooks/{own['webhook_id']}", json={"edition_id": None}, headers={"If-Match": "*"}
        )
        assert widened.status_code == 422


async def test_owners_and_keys_of_webhooks_have_the_right_and_organisers_do_not(context: ApiContext) -> None:
    for principal, status in (
        (key_principal(Scope.WEBHOOKS), 200),
        (staff_principal(StaffRole.OWNER), 200),
        (staff_principal(StaffRole.ORGANISER), 403),
        (key_principal(Scope.READ, Scope.WRITE, Scope.DIRECTORY), 403),
    ):
        async with client_as(context, principal) as client:
            assert (await client.get("/webhooks")).status_code == status


async def test_without_the_events_service_webhooks_answer_503(registration: RegistrationHarness) -> None:
    async with client_of(registration.context, "itecam") as client:
        assert (await client.get("/webhooks")).status_code == 503
