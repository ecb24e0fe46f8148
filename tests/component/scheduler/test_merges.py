"""Merges of two registrations of a person: the encounters at the same hour are named, and third people stay."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.support.previews import announced_edition
from tests.support.scheduler_api import ApiHarness


@pytest.fixture
async def api(harness: ApiHarness) -> AsyncIterator[httpx.AsyncClient]:
    async with announced_edition(harness) as client:
        yield client


async def merge(harness: ApiHarness, api: httpx.AsyncClient, kept: str, merged: str, **query: str) -> httpx.Response:
    path = f"{harness.path}/participants/{harness.people[kept]}/merges"
    return await api.post(path, json={"merged_id": harness.people[merged]}, params=query)


async def test_encounters_at_the_same_hour_are_named_before_a_merge(
    harness: ApiHarness, api: httpx.AsyncClient
) -> None:
    mine = await harness.meeting(api, "Ana", "Beto")
    clashing = {}
    for kept, partner in (("Carla", "Dario"), ("Eva", "Fran"), ("Gema", "Hugo"), ("Ines", "Juan")):
        theirs = await harness.meeting(api, kept, partner)
        preview = (await merge(harness, api, "Ana", kept, dry_run="true")).json()["preview"]
        assert preview["agenda_known"]
        named = [conflict["ids"] for conflict in preview["conflicts"] if conflict["slug"] == "same-hour"]
        is_clash = mine["place"]["starts_at"] == theirs["place"]["starts_at"]
        assert named == ([[mine["encounter_id"], theirs["encounter_id"]]] if is_clash else [])
        clashing[kept] = is_clash
    assert any(clashing.values())
    assert not all(clashing.values())


@pytest.mark.parametrize("order", ["registrations first", "affinities first"])
async def test_the_partner_of_a_duplicate_keeps_hour_and_table(
    harness: ApiHarness, api: httpx.AsyncClient, order: str
) -> None:
    theirs = await harness.meeting(api, "Carla", "Dario")
    mine = await harness.meeting(api, "Ana", "Beto")
    kept = "Ana" if mine["place"]["starts_at"] != theirs["place"]["starts_at"] else "Eva"
    token = (await merge(harness, api, kept, "Carla", dry_run="true")).json()["token"]
    assert (await merge(harness, api, kept, "Carla", token=token)).status_code == 200
    pairs = (harness.pair("Carla", "Dario", revision=2, consent="refused"), harness.pair(kept, "Dario"))
    if order == "registrations first":
        await harness.deliver(*pairs)
    else:
        await harness.scheduler.consume(harness.edition, [harness.taken(pair) for pair in pairs[::-1]])
        await harness.deliver()
    again = await harness.meeting(api, kept, "Dario")
    assert again["place"] == theirs["place"]


async def test_a_changed_agenda_makes_the_token_of_a_merge_stale(harness: ApiHarness, api: httpx.AsyncClient) -> None:
    token = (await merge(harness, api, "Ana", "Carla", dry_run="true")).json()["token"]
    await api.patch(
        f"{harness.path}/participants/{harness.people['Carla']}",
        json={"phone": "+34 600 000 000"},
        headers={"If-Match": "*"},
    )
    stale = await merge(harness, api, "Ana", "Carla", token=token)
    assert (stale.status_code, stale.json()["type"]) == (412, "urn:tertulia:problem:preview-stale")
    assert stale.json()["token"] != token
