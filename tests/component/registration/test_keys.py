"""API keys: made, listed, revoked and rotated by owners over the API."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from services.registration.api.access import ApiContext
from services.registration.credentials import Credentials
from shared.access import Scope, StaffRole
from tests.support.principals import client_as, key_principal, staff_principal
from tests.support.registration_api import Clock, EditionHarness, edition_body


async def made(api: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    answer = await api.post("/keys", json={"label": "CRM", "scopes": ["read"]} | fields)
    assert answer.status_code == 201, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    key: dict[str, Any] = answer.json()
    return key


def with_key(api: httpx.AsyncClient, key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


async def test_a_key_has_the_rights_it_was_made_with(api: httpx.AsyncClient, edition: EditionHarness) -> None:
    reader = (await made(api))["key"]
    assert (await api.get(edition.path, headers=with_key(api, reader))).status_code == 200
    refused = await api.post("/editions", json=edition_body(), headers=with_key(api, reader))
    assert refused.status_code == 403
    assert (await api.get("/keys", headers=with_key(api, reader))).status_code == 403
    mine = (await api.get("/me", headers=with_key(api, reader))).json()
    assert (mine["kind"], mine["operator_id"], mine["scopes"], mine["sees"]) == ("key", "itecam", ["read"], "ids")
    assert "editions.read" in mine["actions"]
    assert "editions.change" not in mine["actions"]


async def test_a_key_of_an_edition_opens_that_edition_alone(api: httpx.AsyncClient, edition: EditionHarness) -> None:
    other = (await api.post("/editions", json=edition_body())).json()["edition_id"]
    key = (await made(api, scopes=["owner"], editions=[edition.edition_id]))["key"]
    assert (await api.get(edition.path, headers=with_key(api, key))).status_code == 200
    assert (await api.get(f"/editions/{other}", headers=with_key(api, key))).status_code == 404
    assert (await api.post("/editions", json=edition_body(), headers=with_key(api, key))).status_code == 403


async def test_a_list_of_editions_holds_the_editions_of_the_key(
    api: httpx.AsyncClient, edition: EditionHarness
) -> None:
    for _ in range(3):
        await api.post("/editions", json=edition_body())
    key = (await made(api, editions=[edition.edition_id]))["key"]
    listed = (await api.get("/editions", headers=with_key(api, key))).json()
    assert [item["edition_id"] for item in listed["items"]] == [edition.edition_id]


async def test_an_expired_key_is_refused_and_the_answer_says_so(api: httpx.AsyncClient, clock: Clock) -> None:
    key = (await made(api, expires_at="2026-11-01T10:00:00Z"))["key"]
    assert (await api.get("/editions", headers=with_key(api, key))).status_code == 200
    clock.advance(hours=1)
    answer = await api.get("/editions", headers=with_key(api, key))
    assert answer.status_code == 401
    assert "expired at 2026-11-01 10:00 UTC" in answer.json()["detail"]


async def test_a_revoked_key_is_refused_at_once_by_the_process_that_revoked_it(api: httpx.AsyncClient) -> None:
    key = await made(api)
    assert (await api.get("/editions", headers=with_key(api, key["key"]))).status_code == 200
    for _ in range(2):
        assert (await api.delete(f"/keys/{key['key_id']}")).json()["revoked"] is True
    assert (await api.get("/editions", headers=with_key(api, key["key"]))).status_code == 401
    assert (await api.delete("/keys/unknown")).status_code == 404


async def test_a_rotated_key_works_beside_its_successor_until_the_overlap_ends(
    api: httpx.AsyncClient, clock: Clock
) -> None:
    old = await made(api)
    answer = await api.post(f"/keys/{old['key_id']}/rotation", json={"overlap_minutes": 60})
    new = answer.json()
    assert (answer.status_code, new["scopes"], new["label"]) == (201, ["read"], "CRM")
    for key in (old, new):
        assert (await api.get("/editions", headers=with_key(api, key["key"]))).status_code == 200
    clock.advance(hours=1)
    statuses = [(await api.get("/editions", headers=with_key(api, key["key"]))).status_code for key in (old, new)]
    assert statuses == [401, 200]


async def test_the_list_of_keys_tells_rights_maker_and_last_use_and_no_secret(
    api: httpx.AsyncClient, context: ApiContext, clock: Clock
) -> None:
    key = await made(api)
    await api.get("/editions", headers=with_key(api, key["key"]))
    assert isinstance(context.authenticator, Credentials)
    await context.authenticator.write_uses()
    answer = await api.get("/keys")
    first, second = answer.json()["items"]
    assert key["key"].partition(".")[2] not in answer.text
    assert (first["scopes"], first["last_used_at"]) == (["owner"], "2026-11-01T09:00:00Z")
    assert second == {name: value for name, value in key.items() if name != "key"} | {
        "last_used_at": "2026-11-01T09:00:00Z"
    }
    assert second["created_by"] == f"key:{first['key_id']}"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"label": "x", "scopes": ["admin"]}, "/scopes/0"),
        ({"label": "x", "scopes": []}, "/scopes"),
        ({"label": "x", "scopes": ["read"], "editions": ["edn_none"]}, "/editions/0"),
        ({"label": "x", "scopes": ["read"], "editions": []}, "/editions"),
        ({"label": "x", "scopes": ["read"], "expires_at": "2026-10-01T00:00:00Z"}, "/expires_at"),
        ({"label": "x", "scopes": ["read"], "expires_at": "2027-01-01T00:00:00"}, "/expires_at"),
        ({"label": " ", "scopes": ["read"]}, "/label"),
    ],
)
async def test_a_key_without_sense_is_refused_with_its_field(
    api: httpx.AsyncClient, body: dict[str, Any], pointer: str
) -> None:
    answer = await api.post("/keys", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == pointer


async def test_keys_of_an_operator_are_unknown_to_other_operators(
    api: httpx.AsyncClient, rival: httpx.AsyncClient
) -> None:
    key = await made(api)
    assert (await rival.delete(f"/keys/{key['key_id']}")).status_code == 404
    assert (await rival.post(f"/keys/{key['key_id']}/rotation", json={})).status_code == 404
    assert len((await rival.get("/keys")).json()["items"]) == 1


async def test_only_owners_manage_keys(context: ApiContext) -> None:
    every_scope_but_owner = key_principal(*(set(Scope) - {Scope.OWNER}))
    for principal in (every_scope_but_owner, staff_principal(StaffRole.ORGANISER)):
        async with client_as(context, principal) as api:
            assert (await api.post("/keys", json={"label": "x", "scopes": ["owner"]})).status_code == 403
    async with client_as(context, staff_principal(StaffRole.OWNER)) as api:
        assert (await made(api))["created_by"] == "staff:s1"
