"""The export of all data kept about a participant."""

from __future__ import annotations

import dataclasses
from typing import Any

import httpx
import pytest

from services.registration.api.access import ApiContext
from services.registration.internal_clients import (
    InternalClient,
    InternalClients,
    ServiceDeclined,
    ServiceUnavailable,
)
from shared.privacy import REGISTER
from tests.support.registration_api import EditionHarness, client_of


class ListingClient(InternalClient):
    """A client that answers with a list, or with an error."""

    def __init__(self, name: str) -> None:
        super().__init__(name, None)
        self.items: list[dict[str, Any]] = []
        self.error: Exception | None = None

    async def get(self, path: str, parameters: Any = None) -> dict[str, Any]:
        if self.error:
            raise self.error
        return {"items": self.items}


@pytest.fixture
def scheduler() -> ListingClient:
    return ListingClient("scheduler")


@pytest.fixture
def notify() -> ListingClient:
    return ListingClient("notify")


@pytest.fixture
def context(context: ApiContext, scheduler: ListingClient, notify: ListingClient) -> ApiContext:
    clients = InternalClients(InternalClient("matching", None), scheduler, notify)
    return dataclasses.replace(context, clients=clients)


async def data_of(api: httpx.AsyncClient, edition: EditionHarness, number: int = 0) -> httpx.Response:
    return await api.get(f"{edition.path}/participants/{edition.participants[number]}/data")


async def test_an_export_has_the_data_of_all_services_and_their_places(
    api: httpx.AsyncClient, edition: EditionHarness, scheduler: ListingClient, notify: ListingClient
) -> None:
    own, other = edition.participants[0], edition.participants[2]
    asked = await edition.request(0, 2)
    answered = await edition.request(2, 0, priority=1)
    await edition.request(1, 3)
    scheduler.items = [{"encounter_id": "enc_1", "participant_ids": [own, other]}]
    notify.items = [{"participant_id": own, "state": "reached"}, {"participant_id": other, "state": "reached"}]
    exported = (await data_of(api, edition)).json()
    assert exported["participant"]["email"] == "a1@x.example"
    assert {one["request_id"] for one in exported["match_requests"]} == {asked["request_id"], answered["request_id"]}
    assert exported["encounters"] == scheduler.items
    assert exported["mails"] == notify.items[:1]
    assert [revision["revision"] for revision in exported["revisions"]] == [1]
    assert [place["duration"] for place in exported["kept"]] == [place.duration for place in REGISTER]


async def test_an_export_is_complete_or_refused(
    api: httpx.AsyncClient, edition: EditionHarness, scheduler: ListingClient
) -> None:
    scheduler.error = ServiceUnavailable("the scheduler does not answer")
    assert (await data_of(api, edition)).status_code == 503
    scheduler.error = ServiceDeclined(404, "not-found", "no such edition", {})
    assert (await data_of(api, edition)).json()["encounters"] == []


async def test_another_operator_s_participant_cannot_be_exported(context: ApiContext, edition: EditionHarness) -> None:
    async with client_of(context, "rival") as rival:
        assert (await data_of(rival, edition)).status_code == 404
