"""Changes of facts that are tried first: the preview, its token, and the changes that need the token."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.registration.internal_clients import InternalClient, InternalClients, no_clients
from services.registration.settings import Settings
from shared.contract.events import AgendaChanged, EditionChanged
from tests.support.previews import NO_TABLES, ZONE, announced_edition, patch, places
from tests.support.registration_api import NO_RATES
from tests.support.scheduler_api import EDITION, ApiHarness


@pytest.fixture
async def api(harness: ApiHarness) -> AsyncIterator[httpx.AsyncClient]:
    async with announced_edition(harness) as client:
        yield client


async def test_a_dry_run_changes_nothing_and_tells_who_would_wait(harness: ApiHarness, api: httpx.AsyncClient) -> None:
    before, sent = (await api.get(harness.path)).json(), len(harness.sent)
    tried = await patch(api, harness.path, NO_TABLES, dry_run="true")
    assert tried.status_code == 200, tried.text
    preview = tried.json()["preview"]
    counts = {"encounters": 5, "moved": 0, "placed": 0, "waiting": 5, "cancelled": 0, "people": 10, "mailed": 10}
    assert preview["counts"] == counts
    assert preview["announced"]
    assert set(preview["mailed"]) == set(harness.people.values())
    assert set(preview["names"].values()) == set(harness.people)
    assert {effect["waiting_reason"] for effect in preview["waiting"]} == {"no_table"}
    await harness.deliver()
    assert (await api.get(harness.path)).json() == before
    assert len(harness.sent) == sent


async def test_the_outcome_of_a_confirmed_change_is_its_preview(harness: ApiHarness, api: httpx.AsyncClient) -> None:
    before = await places(harness, api)
    one_table = {"zones": [ZONE | {"tables": ["1"]}]}
    tried = (await patch(api, harness.path, one_table, dry_run="true")).json()
    revision = (await api.get(harness.path)).headers["etag"]
    done = await api.patch(
        harness.path, json=one_table, headers={"If-Match": revision}, params={"token": tried["token"]}
    )
    assert (done.status_code, len(done.json()["zones"][0]["tables"])) == (200, 1)
    sent = len(harness.sent)
    await harness.deliver()
    after, preview = await places(harness, api), tried["preview"]
    effects = {effect["encounter_id"]: effect for kind in ("moved", "waiting") for effect in preview[kind]}
    assert effects
    assert {key: (before[key], place) for key, place in after.items() if place != before[key]} == {
        key: (effect["before"], effect["after"]) for key, effect in effects.items()
    }
    mailed = {event.participant_id for event in harness.sent[sent:] if isinstance(event, AgendaChanged)}
    assert mailed == set(preview["mailed"])


async def test_a_large_change_needs_the_token_of_its_preview(harness: ApiHarness, api: httpx.AsyncClient) -> None:
    refused = await patch(api, harness.path, NO_TABLES)
    assert (refused.status_code, refused.json()["type"]) == (428, "urn:tertulia:problem:preview-required")
    body = refused.json()
    assert body["preview"]["counts"]["waiting"] == 5
    assert body["token"] in body["detail"]
    assert (await api.get(harness.path)).json()["zones"][0]["tables"] == ["1", "2"]
    tried = (await patch(api, harness.path, NO_TABLES, dry_run="true")).json()
    assert tried == {"token": body["token"], "preview": body["preview"]}
    assert (await patch(api, harness.path, NO_TABLES, token=body["token"])).status_code == 200


async def test_a_change_with_other_effects_by_now_is_stale(harness: ApiHarness, api: httpx.AsyncClient) -> None:
    token = (await patch(api, harness.path, NO_TABLES, dry_run="true")).json()["token"]
    await harness.deliver(harness.pair("Ana", "Carla"))  # one more encounter that would wait
    stale = await patch(api, harness.path, NO_TABLES, token=token)
    assert (stale.status_code, stale.json()["type"]) == (412, "urn:tertulia:problem:preview-stale")
    assert stale.json()["preview"]["counts"]["waiting"] == 6
    assert (await patch(api, harness.path, {"zones": []}, token=token)).status_code == 422
    other = await patch(api, harness.path, {"zones": [ZONE | {"tables": ["1"]}]}, token=stale.json()["token"])
    assert other.status_code == 412
    assert (await patch(api, harness.path, NO_TABLES, token=stale.json()["token"])).status_code == 200


async def test_a_star_confirms_whatever_comes(harness: ApiHarness, api: httpx.AsyncClient) -> None:
    assert (await patch(api, harness.path, NO_TABLES, token="*")).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {"name": "Another name"},
        {"days": [*EDITION["days"], {"date": "2026-11-27", "starts": "09:00", "ends": "10:00"}]},
    ],
)
async def test_a_change_that_moves_nobody_needs_no_token(
    harness: ApiHarness, api: httpx.AsyncClient, body: dict[str, Any]
) -> None:
    assert (await patch(api, harness.path, body)).status_code == 200


async def test_the_edition_sets_the_size_that_needs_a_token(harness: ApiHarness, api: httpx.AsyncClient) -> None:
    await patch(api, harness.path, {"preview_above_percent": 100})
    await harness.deliver()
    assert (await patch(api, harness.path, NO_TABLES)).status_code == 200


async def test_sessions_that_fall_outside_are_told(harness: ApiHarness, api: httpx.AsyncClient) -> None:
    hall = {"zone_id": "hall", "kind": "conference", "name": "Sala"}
    keynote = {
        "session_id": "late",
        "kind": "keynote",
        "title": "Cierre",
        "zone_id": "hall",
        "starts_at": "2026-11-26T09:30",
        "ends_at": "2026-11-26T10:00",
    }
    await patch(api, harness.path, {"zones": [ZONE, hall], "sessions": [keynote]})
    await harness.deliver()
    shorter = {"days": [EDITION["days"][0] | {"ends": "09:45"}]}
    assert (await patch(api, harness.path, shorter, dry_run="true")).json()["preview"]["outside"] == ["late"]


async def test_an_edition_is_not_changed_unseen_while_the_scheduler_is_away(
    harness: ApiHarness, api: httpx.AsyncClient
) -> None:
    nowhere = httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(502)), base_url="http://away")
    away = InternalClients(no_clients().matching, InternalClient("scheduler", nowhere))
    async with harness.client_with(away) as client:
        for query in ({}, {"dry_run": "true"}, {"token": "0" * 32}):
            refused = await patch(client, harness.path, NO_TABLES, **query)
            assert refused.status_code == 503
            assert "?token=*" in refused.json()["detail"]
            assert "retry-after" in refused.headers
        assert (await patch(client, harness.path, {"name": "Another name"})).status_code == 200
        assert (await patch(client, harness.path, NO_TABLES, token="*")).status_code == 200


async def test_facts_that_have_not_arrived_are_awaited_for_two_seconds(
    harness: ApiHarness, api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.scheduler.service._PREVIEW_SECONDS", 0.1)
    await patch(api, harness.path, {"name": "On its way"})
    assert (await patch(api, harness.path, NO_TABLES, dry_run="true")).status_code == 503
    await harness.deliver()
    assert (await patch(api, harness.path, NO_TABLES, dry_run="true")).status_code == 200


async def test_a_scheduler_that_hangs_holds_no_change_for_long(harness: ApiHarness, api: httpx.AsyncClient) -> None:
    async def hang(_: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    client = httpx.AsyncClient(transport=httpx.MockTransport(hang), base_url="http://frozen")
    frozen = InternalClients(no_clients().matching, InternalClient("scheduler", client))
    settings = Settings(**NO_RATES, preview_seconds=0.05)
    async with harness.client_with(frozen, settings=settings) as frozen_api:
        assert (await patch(frozen_api, harness.path, NO_TABLES)).status_code == 503


async def test_a_participant_s_cancellation_is_tried(harness: ApiHarness, api: httpx.AsyncClient) -> None:
    ana = f"{harness.path}/participants/{harness.people['Ana']}"
    tried = (await api.post(f"{ana}/cancellation", params={"dry_run": "true"})).json()
    assert tried["preview"]["counts"]["cancelled"] == 1
    assert set(tried["preview"]["mailed"]) == {harness.people["Ana"], harness.people["Beto"]}
    assert (await api.get(ana)).json()["status"] == "active"
    done = await api.post(f"{ana}/cancellation", params={"token": tried["token"]})
    assert done.json()["status"] == "cancelled"
    again = await api.post(f"{ana}/cancellation", params={"dry_run": "true"})
    assert again.json()["preview"]["counts"]["cancelled"] == 0
    await harness.deliver()
    back = (await api.post(f"{ana}/reinstatement", params={"dry_run": "true"})).json()
    assert back["preview"]["counts"]["placed"] == 1


async def test_a_participant_s_change_is_tried(harness: ApiHarness, api: httpx.AsyncClient) -> None:
    ana = f"{harness.path}/participants/{harness.people['Ana']}"
    late = {"available": [{"starts_at": "2026-11-26T09:45", "ends_at": "2026-11-26T10:00"}]}
    tried = (await patch(api, ana, late, dry_run="true")).json()
    counts = tried["preview"]["counts"]
    assert counts["moved"] + counts["waiting"] >= 1
    assert "Ana" in tried["preview"]["names"].values()
    assert (await patch(api, ana, late, token="0" * 32)).status_code == 412
    assert (await patch(api, ana, late, token=tried["token"])).status_code == 200


async def test_an_organisation_s_cancellation_is_tried(harness: ApiHarness, api: httpx.AsyncClient) -> None:
    person = (await api.get(f"{harness.path}/participants/{harness.people['Ana']}")).json()
    path = f"{harness.path}/organisations/{person['organisation_id']}"
    tried = (await api.post(f"{path}/cancellation", params={"dry_run": "true"})).json()
    assert tried["preview"]["counts"]["cancelled"] == 1
    assert (await api.get(path)).json()["status"] == "active"
    done = await api.post(f"{path}/cancellation", params={"token": tried["token"]})
    assert done.json()["status"] == "cancelled"


async def test_a_member_of_a_list_is_tried(harness: ApiHarness, api: httpx.AsyncClient) -> None:
    table = f"{harness.path}/zones/work/tables/1"
    tried = (await api.delete(table, params={"dry_run": "true"})).json()
    counts = tried["preview"]["counts"]
    assert counts["moved"] + counts["waiting"] >= 2
    assert len((await api.get(harness.path)).json()["zones"][0]["tables"]) == 2
    assert (await api.delete(table, params={"token": tried["token"]})).json()["zones"][0]["tables"] == ["2"]
    refused = await api.delete(f"{harness.path}/zones/work", params={"dry_run": "maybe"})
    assert refused.status_code == 422


async def test_a_participant_s_change_is_made_while_the_scheduler_is_away(
    harness: ApiHarness, api: httpx.AsyncClient
) -> None:
    nowhere = httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(502)), base_url="http://away")
    away = InternalClients(no_clients().matching, InternalClient("scheduler", nowhere))
    ana = f"{harness.path}/participants/{harness.people['Ana']}"
    late = {"available": [{"starts_at": "2026-11-26T09:45", "ends_at": "2026-11-26T10:00"}]}
    async with harness.client_with(away) as client:
        assert (await patch(client, ana, late)).status_code == 200
        assert (await client.post(f"{ana}/cancellation")).status_code == 200


async def test_a_dry_run_is_refused_where_there_is_none(harness: ApiHarness, api: httpx.AsyncClient) -> None:
    body = {"name": "Org", "kind": "sme", "country": "ES"}
    for path in ("organisations", f"participants/{harness.people['Ana']}/check-in", "proposals"):
        refused = await api.post(f"{harness.path}/{path}", json=body, params={"dry_run": "true"})
        assert refused.status_code == 422, path
        assert refused.json()["errors"][0]["pointer"] == "/query/dry_run"
    assert (await api.get(f"{harness.path}/organisations")).json()["items"][-1]["name"] != "Org"


async def test_an_edit_by_hand_has_the_same_shapes(harness: ApiHarness, api: httpx.AsyncClient) -> None:
    meeting = await harness.meeting(api, "Ana", "Beto")
    path = f"{harness.path}/agenda/edits"
    slot = next(slot for slot in range(4) if slot != meeting["place"]["slot"])
    body = {"edit": {"type": "place", "encounter_id": meeting["encounter_id"], "slot": slot, "zone_id": "work"}}
    tried = (await api.post(path, json=body, params={"dry_run": "true"})).json()
    counts = tried["preview"]["counts"]
    assert (counts["encounters"], counts["moved"] >= 1, counts["mailed"] >= 2) == (5, True, True)
    assert {"Ana", "Beto"} <= set(tried["preview"]["names"].values())
    old = await api.post(f"{path}/dry-run", json=body)
    assert old.headers["etag"] == f'"{tried["token"]}"'
    assert await harness.meeting(api, "Ana", "Beto") == meeting

    stale = await api.post(path, json=body, params={"token": "0" * 32})
    assert (stale.status_code, stale.json()["type"]) == (412, "urn:tertulia:problem:preview-stale")
    assert (stale.json()["token"], stale.json()["preview"]) == (tried["token"], tried["preview"])
    assert (await api.post(path, json=body)).status_code == 428
    done = await api.post(path, json=body, params={"token": tried["token"]})
    assert (done.status_code, done.json()["token"]) == (200, tried["token"])
    assert (await harness.meeting(api, "Ana", "Beto"))["place"]["slot"] == slot


async def test_the_token_travels_with_the_change(harness: ApiHarness, api: httpx.AsyncClient) -> None:
    token = (await patch(api, harness.path, NO_TABLES, dry_run="true")).json()["token"]
    await patch(api, harness.path, NO_TABLES, token=token)
    await patch(api, harness.path, {"name": "Another name"})
    await harness.deliver()
    editions = [event for event in harness.servers.published if isinstance(event, EditionChanged)]
    assert [event.preview_token for event in editions[-2:]] == [token, None]
    assert (await api.get(f"{harness.path}/amendments")).json()["items"][0]["token"] == token


@pytest.mark.parametrize("seed", range(6))
async def test_changes_that_race_are_confirmed_as_shown_or_refused(
    harness: ApiHarness, api: httpx.AsyncClient, seed: int
) -> None:
    """A confirmed change has the effects of its preview; a change that another has overtaken is refused with 412."""
    chance = random.Random(seed)  # noqa: S311 - the order of a test
    bodies = [{"zones": [ZONE | {"tables": tables}]} for tables in ([], ["1"], ["2", "3"])]
    tried = [(await patch(api, harness.path, body, dry_run="true")).json() for body in bodies]
    before = await places(harness, api)
    chosen = chance.sample(range(3), 3)
    answers = await asyncio.gather(
        *(patch(api, harness.path, bodies[index], token=tried[index]["token"]) for index in chosen)
    )
    made = [index for index, answer in zip(chosen, answers, strict=True) if answer.status_code == 200]
    assert {answer.status_code for answer in answers} <= {200, 409, 412, 503}
    assert len(made) == 1
    await harness.deliver()
    now, preview = await places(harness, api), tried[made[0]]["preview"]
    moved = {effect["encounter_id"]: effect["after"] for kind in ("moved", "waiting") for effect in preview[kind]}
    assert {key: place for key, place in now.items() if place != before[key]} == moved


@pytest.mark.parametrize(
    "body",
    [
        {"days": [EDITION["days"][0] | {"ends": "09:45"}]},
        {"timezone": "Europe/Lisbon"},
        {"slot_minutes": 20},
        {"zones": [ZONE | {"tables": []}]},
    ],
)
async def test_a_token_holds_while_the_clock_runs(
    harness: ApiHarness, api: httpx.AsyncClient, body: dict[str, Any]
) -> None:
    token = (await patch(api, harness.path, body, dry_run="true")).json()["token"]
    harness.moment += timedelta(minutes=7)
    assert (await patch(api, harness.path, body, token=token)).status_code == 200
    await harness.deliver()
    ana = f"{harness.path}/participants/{harness.people['Ana']}"
    late = {"available": [{"starts_at": "2026-11-26T09:15", "ends_at": "2026-11-26T09:45"}]}
    token = (await patch(api, ana, late, dry_run="true")).json()["token"]
    harness.moment += timedelta(minutes=7)
    assert (await patch(api, ana, late, token=token)).status_code == 200
