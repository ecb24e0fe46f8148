"""Imports into an announced edition: the effects of a list are shown, confirmed by its token, and small ones pass."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from services.registration.internal_clients import InternalClient, InternalClients, no_clients
from services.registration.settings import Settings
from tests.support.previews import announced_edition, patch, places
from tests.support.registration_api import NO_RATES
from tests.support.scheduler_api import ApiHarness

CSV = {"content-type": "text/csv"}
HOURS = "participant,starts_at,ends_at\n"


@pytest.fixture
async def api(harness: ApiHarness) -> AsyncIterator[httpx.AsyncClient]:
    async with announced_edition(harness) as client:
        yield client


async def send(api: httpx.AsyncClient, path: str, kind: str, content: str, **query: str) -> httpx.Response:
    return await api.post(f"{path}/imports/{kind}", content=content.encode(), headers=CSV, params=query)


def available(harness: ApiHarness, starts: str, ends: str) -> str:
    """Return a list in which all participants can meet between two times only."""
    return HOURS + "".join(f"{name},2026-11-26 {starts},2026-11-26 {ends}\n" for name in harness.people)


def narrowed(harness: ApiHarness) -> str:
    """Return a list in which all can meet in the first slot only: two tables take four of the ten."""
    return available(harness, "09:00", "09:20")


def emptied(harness: ApiHarness) -> str:
    """Return a list in which all can meet in the afternoon only, when there is no slot."""
    return available(harness, "13:00", "14:00")


async def test_a_list_shows_who_would_move_wait_and_be_mailed(harness: ApiHarness, api: httpx.AsyncClient) -> None:
    before, sent = await places(harness, api), len(harness.sent)
    tried = (await send(api, harness.path, "availability", narrowed(harness), dry_run="true")).json()
    preview = tried["preview"]
    assert (tried["changed"], len(tried["rows"]), tried["dry_run"]) == (10, 10, True)
    assert preview["announced"]
    assert preview["counts"]["encounters"] == 5
    assert preview["counts"]["waiting"] == 3
    assert {effect["waiting_reason"] for effect in preview["waiting"]} == {"no_table"}
    assert len(preview["mailed"]) == preview["counts"]["mailed"]
    waiting = {person for effect in preview["waiting"] for person in effect["participant_ids_before"]}
    assert waiting <= {harness.people[name] for name in preview["names"].values()}
    await harness.deliver()
    assert (await places(harness, api), len(harness.sent)) == (before, sent)


async def test_a_large_list_needs_its_token_and_a_stale_token_is_refused(
    harness: ApiHarness, api: httpx.AsyncClient
) -> None:
    raw = emptied(harness)
    refused = await send(api, harness.path, "availability", raw)
    body = refused.json()
    assert (refused.status_code, body["type"]) == (428, "urn:tertulia:problem:preview-required")
    assert (body["preview"]["counts"]["waiting"], body["preview"]["changed"]) == (5, 10)
    tried = (await send(api, harness.path, "availability", raw, dry_run="true")).json()
    assert body["token"] == tried["token"]
    await harness.deliver(harness.pair("Ana", "Carla"))  # one more encounter that would wait
    stale = await send(api, harness.path, "availability", raw, token=body["token"])
    assert (stale.status_code, stale.json()["type"]) == (412, "urn:tertulia:problem:preview-stale")
    assert stale.json()["preview"]["counts"]["waiting"] == 6
    done = await send(api, harness.path, "availability", raw, token=stale.json()["token"])
    assert (done.status_code, done.json()["changed"]) == (200, 10)
    await harness.deliver()
    assert not any((await places(harness, api)).values())


async def test_a_list_that_moves_nobody_is_applied_at_once(harness: ApiHarness, api: httpx.AsyncClient) -> None:
    people = "".join(f"Org {name},{name},{name}@x.example,+34 600 000 00{n}\n" for n, name in enumerate(harness.people))
    await patch(api, harness.path, {"preview_above_people": 1})
    await harness.deliver()
    done = await send(api, harness.path, "participants", f"organisation,name,email,phone\n{people}")
    assert (done.status_code, done.json()["changed"]) == (200, 10)


async def test_newcomers_and_their_organisations_are_previewed(harness: ApiHarness, api: httpx.AsyncClient) -> None:
    raw = "organisation,name,email,country\nNueva,Nora,nora@x.example,ES\nOrg Ana,Ana,Ana@x.example,ES\n"
    tried = (await send(api, harness.path, "participants", raw, dry_run="true")).json()
    assert (tried["created"], tried["preview"]["counts"]["moved"], tried["preview"]["announced"]) == (1, 0, True)


async def test_a_reinstated_organisation_brings_its_people_back_in_the_preview(
    harness: ApiHarness, api: httpx.AsyncClient
) -> None:
    organisation = (await api.get(f"{harness.path}/participants/{harness.people['Ana']}")).json()["organisation_id"]
    path = f"{harness.path}/organisations/{organisation}"
    await api.post(f"{path}/cancellation")
    await harness.deliver()
    alone = (await api.post(f"{path}/reinstatement", params={"dry_run": "true"})).json()
    assert alone["preview"]["counts"]["placed"] == 1
    tried = (await send(api, harness.path, "organisations", "name\nOrg Ana\n", dry_run="true")).json()
    assert (tried["reinstated"], tried["preview"]["counts"]["placed"]) == (1, 1)


async def test_a_list_waits_for_no_scheduler_and_a_star_asks_none(harness: ApiHarness, api: httpx.AsyncClient) -> None:
    nobody = httpx.AsyncClient(transport=httpx.MockTransport(_refuse), base_url="http://scheduler")
    clients = InternalClients(no_clients().matching, InternalClient("scheduler", nobody))
    async with harness.client_with(clients, settings=Settings(preview_seconds=0.1, **NO_RATES)) as alone:
        raw = narrowed(harness)
        for query in ({}, {"dry_run": "true"}, {"token": "0" * 32}):
            away = await send(alone, harness.path, "availability", raw, **query)
            assert (away.status_code, "?token=*" in away.json()["detail"]) == (503, True), query
        assert (await send(alone, harness.path, "availability", raw, token="*")).json()["changed"] == 10


def _refuse(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("nobody is there", request=request)
