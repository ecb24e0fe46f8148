"""Two organisers change an edition at once: both got 200, and the change of the first was lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.support.registration_api import ANY_REVISION, Clock, EditionHarness, RegistrationHarness, client_of

ORGANISERS = 12


@pytest.fixture
async def api() -> AsyncIterator[httpx.AsyncClient]:
    harness = RegistrationHarness(Clock())
    await harness.set_up_database()
    async with client_of(harness.context, "itecam") as client:
        yield client


@pytest.fixture
async def edition(api: httpx.AsyncClient) -> EditionHarness:
    return await EditionHarness(api).set_up()


def tables(edition: Any) -> list[str]:
    return next(zone["tables"] for zone in edition["zones"] if zone["zone_id"] == "workspace")


def with_table(edition: Any, table: str) -> dict[str, Any]:
    """Return the patch that adds a table to the workspace of an edition as it was read."""
    return {
        "zones": [
            zone | {"tables": [*zone["tables"], table]} if zone["zone_id"] == "workspace" else zone
            for zone in edition["zones"]
        ]
    }


async def test_the_second_of_two_added_tables_is_refused_as_stale(
    api: httpx.AsyncClient, edition: EditionHarness
) -> None:
    read = await api.get(edition.path)
    answers = await asyncio.gather(
        *(
            api.patch(edition.path, json=with_table(read.json(), table), headers={"If-Match": read.headers["etag"]})
            for table in ("A", "B")
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200, 412]
    refused = next(answer for answer in answers if answer.status_code == 412)
    assert refused.headers["etag"] == refused.json()["etag"] == (await api.get(edition.path)).headers["etag"] == '"2"'


@pytest.mark.parametrize("kind", ["edition", "organisation", "participant"])
async def test_a_patch_without_if_match_is_refused_with_the_etag(
    api: httpx.AsyncClient, edition: EditionHarness, kind: str
) -> None:
    path = {
        "edition": edition.path,
        "organisation": f"{edition.path}/organisations/{edition.organisations[0]}",
        "participant": f"{edition.path}/participants/{edition.participants[0]}",
    }[kind]
    refused = await api.patch(path, json={"name": "Another name"})
    problem = refused.json()
    assert refused.status_code == 428
    assert problem["type"] == "urn:tertulia:problem:if-match-required"
    assert refused.headers["etag"] == problem["etag"] == '"1"'
    changed = await api.patch(path, json={"name": "Another name"}, headers={"If-Match": problem["etag"]})
    assert (changed.status_code, changed.json()["revision"]) == (200, 2)
    assert (await api.patch(path, json={"name": "Third"}, headers=ANY_REVISION)).json()["revision"] == 3


async def test_the_etag_of_another_operator_is_not_told(api: httpx.AsyncClient, edition: EditionHarness) -> None:
    del edition
    assert (await api.patch("/editions/edn_none", json={})).status_code == 404


async def test_many_who_each_put_a_table_or_a_session_lose_nothing(
    api: httpx.AsyncClient, edition: EditionHarness
) -> None:
    before = (await api.get(edition.path)).json()
    opening = before["sessions"][0]

    async def put(number: int) -> httpx.Response:
        if number % 2:
            return await api.put(f"{edition.path}/zones/workspace/tables/T{number}")
        session = opening | {"session_id": f"s{number}"}
        return await api.put(f"{edition.path}/sessions/s{number}", json=session)

    answers = await asyncio.gather(*map(put, range(ORGANISERS)))
    assert [answer.status_code for answer in answers] == [200] * ORGANISERS
    after = (await api.get(edition.path)).json()
    assert set(tables(after)) == {*tables(before), *(f"T{number}" for number in range(1, ORGANISERS, 2))}
    sessions = {session["session_id"] for session in after["sessions"]}
    assert sessions == {"opening", *(f"s{number}" for number in range(0, ORGANISERS, 2))}


async def test_a_table_removed_while_another_is_added_stays_removed(
    api: httpx.AsyncClient, edition: EditionHarness
) -> None:
    await asyncio.gather(
        api.delete(f"{edition.path}/zones/workspace/tables/1"), api.put(f"{edition.path}/zones/workspace/tables/3")
    )
    assert tables((await api.get(edition.path)).json()) == ["2", "3"]


async def test_a_block_and_a_session_of_a_participant_are_put_at_once(
    api: httpx.AsyncClient, edition: EditionHarness
) -> None:
    path = f"{edition.path}/participants/{edition.participants[0]}"
    members = ["sessions/opening", f"blocks/{edition.participants[2]}", f"blocks/{edition.organisations[1]}"]
    answers = await asyncio.gather(*(api.put(f"{path}/{member}") for member in members))
    assert [answer.status_code for answer in answers] == [200] * 3
    participant = (await api.get(path)).json()
    assert participant["session_ids"] == ["opening"]
    assert set(participant["blocked_ids"]) == {edition.participants[2], edition.organisations[1]}
