"""Imports that are undone: what a list made is cancelled, what it changed comes back, and the rest is named."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.support.previews import announced_edition, patch, places
from tests.support.scheduler_api import ApiHarness

CSV = {"content-type": "text/csv"}
HEADINGS = "organisation,name,email,phone\n"


@pytest.fixture
async def api(harness: ApiHarness) -> AsyncIterator[httpx.AsyncClient]:
    async with announced_edition(harness) as client:
        yield client


async def send(api: httpx.AsyncClient, path: str, kind: str, content: str, **query: str) -> dict[str, Any]:
    answer = await api.post(f"{path}/imports/{kind}", content=content.encode(), headers=CSV, params=query)
    assert answer.status_code == 200, answer.text
    report: dict[str, Any] = answer.json()
    return report


async def undo(harness: ApiHarness, api: httpx.AsyncClient, amendment_id: str, **query: str) -> dict[str, Any]:
    await harness.deliver()
    answer = await api.post(f"{harness.path}/amendments/{amendment_id}/undo", params=query)
    assert answer.status_code == 200, answer.text
    done: dict[str, Any] = answer.json()
    return done


async def people(api: httpx.AsyncClient, path: str) -> dict[str, dict[str, Any]]:
    found = (await api.get(f"{path}/participants", params={"limit": 500})).json()["items"]
    return {person["name"]: person for person in found}


def without_revision(entity: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entity.items() if name not in ("revision", "changed_at")}


def unavailable(harness: ApiHarness) -> str:
    """Return a list in which all participants can meet in the afternoon only, when there is no slot."""
    rows = (f"{name},2026-11-26 13:00,2026-11-26 14:00\n" for name in harness.people)
    return "participant,starts_at,ends_at\n" + "".join(rows)


async def test_an_import_that_moved_encounters_is_undone_with_a_preview(
    harness: ApiHarness, api: httpx.AsyncClient
) -> None:
    before = await places(harness, api)
    report = await send(api, harness.path, "availability", unavailable(harness), token="*")
    await harness.deliver()
    assert not any((await places(harness, api)).values())
    (made,) = (await api.get(f"{harness.path}/amendments")).json()["items"]
    assert made["amendment_id"] == report["amendment_id"]
    assert (made["kind"], made["rows"]) == (
        "list",
        {"list": "availability", "created": 0, "changed": 10, "reinstated": 0},
    )
    harness.moment += timedelta(seconds=1)
    tried = await undo(harness, api, made["amendment_id"], dry_run="true")
    assert (tried["preview"]["counts"]["placed"], tried["left"]) == (5, [])
    done = await undo(harness, api, made["amendment_id"], token=tried["token"])
    assert (done["kind"], done["undone"], done["left"], done["left_count"]) == ("list", 10, [], 0)
    await harness.deliver()
    assert await places(harness, api) == before
    again = await undo(harness, api, made["amendment_id"])
    assert (again["undone"], again["left"]) == (0, [])
    undoing = (await api.get(f"{harness.path}/amendments")).json()["items"][-1]
    assert (undoing["kind"], undoing["undoes"]) == ("list", made["amendment_id"])
    refused = await api.post(f"{harness.path}/amendments/{undoing['amendment_id']}/undo")
    assert (refused.status_code, refused.json()["preview"]["counts"]["waiting"]) == (428, 5)


async def test_an_import_leaves_what_it_made_cancelled_and_what_it_changed_as_before(
    harness: ApiHarness, api: httpx.AsyncClient
) -> None:
    before = await people(api, harness.path)
    raw = HEADINGS + "Nueva,Nora,nora@x.example,+34 600 100 100\nOrg Ana,Ana,Ana@x.example,+34 600 100 101\n"
    report = await send(api, harness.path, "participants", raw)
    assert (report["created"], report["changed"]) == (1, 1)
    done = await undo(harness, api, report["amendment_id"])
    assert (done["undone"], done["left"]) == (3, [])
    after = await people(api, harness.path)
    assert after["Nora"]["status"] == "cancelled"
    assert without_revision(after["Ana"]) == without_revision(before["Ana"])
    organisations = (await api.get(f"{harness.path}/organisations", params={"limit": 500})).json()["items"]
    assert {item["name"]: item["status"] for item in organisations}["Nueva"] == "cancelled"
    listed = (await api.get(f"{harness.path}/amendments")).json()["items"]
    (undoing,) = [item for item in listed if item["undoes"]]
    assert (await undo(harness, api, undoing["amendment_id"]))["undone"] == 3
    redone = await people(api, harness.path)
    assert (redone["Nora"]["status"], redone["Ana"]["phone"]) == ("active", "+34 600 10 01 01")


async def test_entities_that_have_changed_since_an_import_are_named_and_left(
    harness: ApiHarness, api: httpx.AsyncClient
) -> None:
    raw = HEADINGS + "".join(
        f"{who},{who},{who}@new.example,+34 600 100 10{n}\n" for n, who in enumerate(("Uno", "Dos"))
    )
    raw += "Org Ana,Ana,Ana@x.example,+34 600 100 109\n"
    report = await send(api, harness.path, "participants", raw)
    there = await people(api, harness.path)
    ana, uno, dos = (there[name]["participant_id"] for name in ("Ana", "Uno", "Dos"))
    await patch(api, f"{harness.path}/participants/{ana}", {"phone": "+34 600 200 200"})
    await api.post(f"{harness.path}/participants/{uno}/check-in")
    friend = {
        "organisation_id": there["Dos"]["organisation_id"],
        "name": "Friend",
        "email": "friend@new.example",
        "languages": ["es"],
    }
    await api.post(f"{harness.path}/participants", json=friend)
    done = await undo(harness, api, report["amendment_id"])
    left = {warning["where"]: warning["message"] for warning in done["left"]}
    assert left.pop(f"/participants/{ana}/phone") == "it has changed since"
    assert left.pop(f"/participants/{uno}") == "it has changed since"
    assert left.pop(f"/organisations/{there['Dos']['organisation_id']}").startswith("it has 1 participants")
    assert left.pop(f"/organisations/{there['Uno']['organisation_id']}").startswith("it has 1 participants")
    assert (done["undone"], done["left_count"], left) == (1, 4, {})
    after = await people(api, harness.path)
    assert (after["Dos"]["participant_id"], after["Dos"]["status"], after["Friend"]["status"]) == (
        dos,
        "cancelled",
        "active",
    )


async def test_imported_match_requests_are_withdrawn_unless_they_were_answered(
    harness: ApiHarness, api: httpx.AsyncClient
) -> None:
    report = await send(api, harness.path, "match-requests", "requester,target\nAna,Carla\nBeto,Dario\n")
    requests = (await api.get(f"{harness.path}/match-requests")).json()["items"]
    carla = next(item for item in requests if item["target_id"] == harness.people["Carla"])
    await api.post(f"{harness.path}/match-requests/{carla['request_id']}/acceptance")
    done = await undo(harness, api, report["amendment_id"])
    assert (done["undone"], [left["where"] for left in done["left"]]) == (
        1,
        [f"/match-requests/{carla['request_id']}"],
    )
    states = {
        item["target_id"]: item["state"] for item in (await api.get(f"{harness.path}/match-requests")).json()["items"]
    }
    assert states == {harness.people["Carla"]: "accepted", harness.people["Dario"]: "withdrawn"}


async def test_a_list_that_changes_nothing_leaves_no_amendment(harness: ApiHarness, api: httpx.AsyncClient) -> None:
    report = await send(api, harness.path, "participants", "organisation,name,email\nOrg Ana,Ana,Ana@x.example\n")
    assert (report["unchanged"], report["amendment_id"]) == (1, None)
    assert (await api.get(f"{harness.path}/amendments")).json()["items"] == []
