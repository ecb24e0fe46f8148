"""A postponed edition: the preview of it, and the encounters after it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.support.registration_api import ANY_REVISION
from tests.support.scheduler_api import ApiHarness

NAMES = "Ana Beto Carla Dario Eva Fran Gema Hugo Ines Juan"
#: The third of the four slots, which begin at nine.
HALF_PAST_NINE = {"starts_at": "2026-11-26T09:30", "ends_at": "2026-11-26T09:45"}
WEEK = timedelta(days=7)


@pytest.fixture
async def api(harness: ApiHarness) -> Any:
    """Serve an announced edition of five encounters; Ana is available in a single slot."""
    async with harness.client() as client:
        await harness.set_up(client, NAMES)
        path = f"{harness.path}/participants/{harness.people['Ana']}"
        await client.patch(path, json={"available": [HALF_PAST_NINE]}, headers=ANY_REVISION)
        names = NAMES.split()
        await harness.deliver(*(harness.pair(one, other) for one, other in zip(names[::2], names[1::2], strict=True)))
        await client.patch(harness.path, json={"phase": "published"}, headers=ANY_REVISION)
        await harness.deliver()
        await harness.settle()
        yield client


async def places(harness: ApiHarness, api: httpx.AsyncClient) -> dict[str, tuple[datetime, str]]:
    """Return the start and the table of the encounters."""
    listed = (await api.get(f"{harness.path}/encounters")).json()["items"]
    return {
        encounter["encounter_id"]: (
            datetime.fromisoformat(encounter["place"]["starts_at"]),
            encounter["place"]["table"],
        )
        for encounter in listed
        if encounter["place"]
    }


async def test_a_postponed_edition_keeps_its_agendas_a_week_later(harness: ApiHarness, api: httpx.AsyncClient) -> None:
    before, path = await places(harness, api), f"{harness.path}/postponements"
    assert len(before) == 5
    refused = await api.post(path, json={"days": 7}, headers=ANY_REVISION)
    assert (refused.status_code, refused.json()["type"]) == (428, "urn:tertulia:problem:preview-required")
    tried = await api.post(path, json={"days": 7}, headers=ANY_REVISION, params={"dry_run": "true"})
    preview = tried.json()["preview"]
    assert (preview["counts"]["moved"], preview["counts"]["waiting"]) == (5, 0), preview
    done = await api.post(path, json={"days": 7}, headers=ANY_REVISION, params={"token": tried.json()["token"]})
    assert done.status_code == 200, done.text
    await harness.deliver()
    after = await places(harness, api)
    assert after == {key: (at + WEEK, table) for key, (at, table) in before.items()}


async def test_an_undone_postponement_gives_every_agenda_back(harness: ApiHarness, api: httpx.AsyncClient) -> None:
    before, confirmed = await places(harness, api), {"token": "*"}
    await api.post(f"{harness.path}/postponements", json={"days": 7}, headers=ANY_REVISION, params=confirmed)
    await harness.deliver()
    amendments = (await api.get(f"{harness.path}/amendments")).json()["items"]
    amendment = next(amendment for amendment in amendments if "days" in amendment["before"])
    undone = await api.post(f"{harness.path}/amendments/{amendment['amendment_id']}/undo", params=confirmed)
    assert (undone.status_code, undone.json()["left"]) == (200, [])
    await harness.deliver()
    assert await places(harness, api) == before
    ana = (await api.get(f"{harness.path}/participants/{harness.people['Ana']}")).json()
    assert ana["available"][0]["starts_at"] == "2026-11-26T08:30:00Z"


async def test_an_encounter_comes_home_once_the_availability_has_followed(
    harness: ApiHarness, api: httpx.AsyncClient
) -> None:
    before = await places(harness, api)
    confirmed = {"token": "*"}
    assert (
        await api.post(f"{harness.path}/postponements", json={"days": 7}, headers=ANY_REVISION, params=confirmed)
    ).is_success
    await harness.deliver_one_by_one()
    after = await places(harness, api)
    assert after == {key: (at + WEEK, table) for key, (at, table) in before.items()}
