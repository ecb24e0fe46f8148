"""Affinity versions that are not installed: 115 typing errors of an operator stopped matching for all operators."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import httpx
import pytest

from services.matching.domain.scoring.configuration import NEWEST
from services.registration.internal_clients import InternalClient, InternalClients
from shared.app import make_app
from shared.contract.topics import DLQ_SUFFIX, REGISTRATION
from tests.support.events import EventBuilder
from tests.support.matching_editions import registered
from tests.support.matching_journal import MatchingHarness
from tests.support.matching_scene import NOW, Scene
from tests.support.registration_api import api_over, edition_body
from tests.support.running import running
from tests.support.waiting import wait_until

OWN_VERSION = "fair-2027"


async def test_many_missing_versions_neither_halt_matching_nor_make_dead_letters() -> None:
    harness, attacker, neighbour = MatchingHarness(NOW), EventBuilder("bad", "ed9", NOW), Scene("opr", "ed1", NOW)
    async with running(make_app(harness.runtime)) as client:
        harness.servers.publish(
            *(attacker.edition(revision=number, affinity_version=f"typo{number}") for number in range(1, 116))
        )
        harness.servers.publish(*registered(neighbour), neighbour.request("r1", "ann", "bob"))
        await wait_until(lambda: bool(harness.sent))
        assert (await client.get("/readyz")).json() == {"status": "ready", "missing": {}, "held": {}}
    assert harness.servers.records(REGISTRATION.name + DLQ_SUFFIX) == []


class Matching:
    """Matching's internal API over a folder of configurations; `is_away` cuts the connection."""

    def __init__(self, folder: Any) -> None:
        own = NEWEST.model_copy(update={"version": OWN_VERSION, "scorer": "ngrams-1"})
        (folder / "own.json").write_text(own.model_dump_json())
        harness = MatchingHarness(NOW, configurations=folder)
        self._transport = httpx.ASGITransport(make_app(harness.runtime))
        self.is_away = False

    def client(self) -> InternalClient:
        transport = httpx.MockTransport(self._answer)
        headers = {"Authorization": "Bearer t0ken"}
        return InternalClient("matching", httpx.AsyncClient(transport=transport, base_url="http://m", headers=headers))

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        if self.is_away:
            raise httpx.ConnectError("away", request=request)
        response = await self._transport.handle_async_request(request)
        return httpx.Response(response.status_code, content=await response.aread())


@pytest.fixture
def matching(tmp_path: Any) -> Matching:
    return Matching(tmp_path)


@pytest.fixture
async def api(matching: Matching) -> AsyncIterator[httpx.AsyncClient]:
    async with await api_over(InternalClients(matching.client(), InternalClient("scheduler", None))) as client:
        yield client


async def patched(api: httpx.AsyncClient, edition: dict[str, Any], **changes: Any) -> httpx.Response:
    return await api.patch(f"/editions/{edition['edition_id']}", json=changes, headers={"If-Match": "*"})


def listed(answer: httpx.Response) -> Sequence[str]:
    (fault,) = answer.json()["errors"]
    assert fault["pointer"] == "/affinity_version"
    versions: str = fault["detail"].partition("installed versions are ")[2]
    return versions.split(", ")


async def test_a_version_that_is_not_installed_is_refused_with_the_list(api: httpx.AsyncClient) -> None:
    refused = await api.post("/editions", json=edition_body(affinity_version="typo1"))
    assert refused.status_code == 422
    assert listed(refused) == ["1", OWN_VERSION]
    edition = (await api.post("/editions", json=edition_body())).json()
    for number in range(115):
        refused = await patched(api, edition, affinity_version=f"typo{number}")
        assert (refused.status_code, listed(refused)) == (422, ["1", OWN_VERSION])
    accepted = await patched(api, edition, affinity_version=OWN_VERSION)
    assert accepted.json()["affinity_version"] == OWN_VERSION


async def test_built_in_versions_are_accepted_while_matching_is_away(
    api: httpx.AsyncClient, matching: Matching
) -> None:
    matching.is_away = True
    edition = (await api.post("/editions", json=edition_body())).json()
    assert (await patched(api, edition, affinity_version="1")).status_code == 200
    unknown = await patched(api, edition, affinity_version=OWN_VERSION)
    assert (unknown.status_code, unknown.headers["Retry-After"]) == (503, "2")
    assert "matching does not answer" in unknown.json()["detail"]
    matching.is_away = False
    assert (await patched(api, edition, affinity_version=OWN_VERSION)).status_code == 200
    matching.is_away = True
    assert (await patched(api, edition, name="Another name")).status_code == 200


async def test_an_installation_without_matching_takes_the_built_in_versions() -> None:
    absent = InternalClients(InternalClient("matching", None), InternalClient("scheduler", None))
    async with await api_over(absent) as api:
        refused = await api.post("/editions", json=edition_body(affinity_version="typo1"))
        assert (refused.status_code, listed(refused)) == (422, ["1", "2", "3", "4"])
