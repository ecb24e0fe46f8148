"""Changes of facts that are undone: the amendments, their previews, and places that have changed since."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from tests.support.previews import NO_TABLES, ZONE, announced_edition, patch, places
from tests.support.scheduler_api import ApiHarness


@pytest.fixture
async def api(harness: ApiHarness) -> AsyncIterator[httpx.AsyncClient]:
    async with announced_edition(harness) as client:
        yield client


async def undo(api: httpx.AsyncClient, path: str, amendment_id: str, **query: str) -> httpx.Response:
    return await api.post(f"{path}/amendments/{amendment_id}/undo", params=query)


async def test_a_confirmed_change_is_undone_with_a_preview(harness: ApiHarness, api: httpx.AsyncClient) -> None:
    before = await places(harness, api)
    await patch(api, harness.path, NO_TABLES, token="*")
    await harness.deliver()
    (made,) = (await api.get(f"{harness.path}/amendments")).json()["items"]
    assert (made["kind"], made["before"]["zones"][0]["tables"], made["token"]) == ("edition", ["1", "2"], "*")

    tried = (await undo(api, harness.path, made["amendment_id"], dry_run="true")).json()
    assert (tried["preview"]["counts"]["placed"], tried["left"]) == (5, [])
    assert (await undo(api, harness.path, made["amendment_id"], token="0" * 32)).status_code == 412
    harness.moment += timedelta(seconds=1)
    done = await undo(api, harness.path, made["amendment_id"], token=tried["token"])
    undoing_id = done.headers["tertulia-amendment"]
    assert done.json() == {"kind": "edition", "entity_id": harness.edition, "revision": 4, "left": []}
    await harness.deliver()
    assert await places(harness, api) == before
    again = await undo(api, harness.path, made["amendment_id"])
    assert again.json()["revision"] == 4
    _, undoing = (await api.get(f"{harness.path}/amendments")).json()["items"]
    assert undoing["amendment_id"] == undoing_id
    assert undoing["undoes"] == made["amendment_id"]
    redone = await undo(api, harness.path, undoing["amendment_id"], token="*")
    assert redone.json()["revision"] == 5


async def test_a_cancellation_is_undone(harness: ApiHarness, api: httpx.AsyncClient) -> None:
    before = await places(harness, api)
    ana = f"{harness.path}/participants/{harness.people['Ana']}"
    await api.post(f"{ana}/cancellation")
    await harness.deliver()
    (made,) = (await api.get(f"{harness.path}/amendments")).json()["items"]
    tried = (await undo(api, harness.path, made["amendment_id"], dry_run="true")).json()
    assert tried["preview"]["counts"]["placed"] == 1
    assert (await api.get(ana)).json()["status"] == "cancelled"
    assert (await undo(api, harness.path, made["amendment_id"])).status_code == 200
    assert (await api.get(ana)).json()["status"] == "active"
    await harness.deliver()
    assert await places(harness, api) == before


async def test_places_that_have_changed_since_are_named_and_left(harness: ApiHarness, api: httpx.AsyncClient) -> None:
    await patch(api, harness.path, {"slot_minutes": 30, "zones": [ZONE | {"tables": ["1"]}]}, token="*")
    harness.moment += timedelta(seconds=1)
    await patch(api, harness.path, {"slot_minutes": 20}, token="*")
    await harness.deliver()
    made, _ = (await api.get(f"{harness.path}/amendments")).json()["items"]
    done = (await undo(api, harness.path, made["amendment_id"], token="*")).json()
    assert [(left["slug"], left["where"]) for left in done["left"]] == [("changed-since", "/slot_minutes")]
    edition = (await api.get(harness.path)).json()
    assert (edition["slot_minutes"], edition["zones"][0]["tables"]) == (20, ["1", "2"])


async def test_an_amendment_is_kept_for_seven_days_and_for_its_operator(
    harness: ApiHarness, api: httpx.AsyncClient
) -> None:
    await patch(api, harness.path, NO_TABLES, token="*")
    listed = (await api.get(f"{harness.path}/amendments", params={"limit": 1})).json()
    (made,) = listed["items"]
    async with harness.client("rival.other") as rival:
        assert (await rival.get(f"{harness.path}/amendments")).status_code == 404
        assert (await undo(rival, harness.path, made["amendment_id"])).status_code == 404
    harness.moment += timedelta(days=7)
    assert (await api.get(f"{harness.path}/amendments")).json()["items"] == []
    assert (await undo(api, harness.path, made["amendment_id"])).status_code == 404
