"""Match requests that are tried first: matching tells the affinities, and the scheduler their effects."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from services.registration.internal_clients import InternalClient, InternalClients
from tests.support.matching_journal import MatchingHarness
from tests.support.registration_api import ANY_REVISION
from tests.support.scheduler_api import OF_REGISTRATION, ApiHarness


class Stage:
    """An announced edition of four participants, with registration, matching and the scheduler in memory."""

    def __init__(self, harness: ApiHarness) -> None:
        self.harness = harness
        self.matching = MatchingHarness(harness.now())
        self.heard = self.scored = 0
        clients = InternalClients(InternalClient("matching", self.matching.client()), harness.internal_client())
        self.api = harness.client_with(clients)

    @property
    def path(self) -> str:
        return f"{self.harness.path}/match-requests"

    async def deliver(self) -> None:
        """Hand new events to matching and to the scheduler, and the affinities to the scheduler."""
        await self.harness.deliver()
        events = [event for event in self.harness.servers.published if isinstance(event, OF_REGISTRATION)]
        if new := events[self.heard :]:
            await self.matching.consume(*new, edition_id=self.harness.edition)
        scored = self.matching.sent
        await self.harness.deliver(*scored[self.scored :])
        self.heard, self.scored = len(events), len(scored)

    async def ask(self, one: str, other: str, **query: str) -> httpx.Response:
        people = self.harness.people
        body = {"requester_id": people[one], "target_id": people[other]}
        return await self.api.post(self.path, json=body, params=query)

    async def answer(self, request_id: str, answer: str, **query: str) -> dict[str, Any]:
        done = await self.api.post(f"{self.path}/{request_id}/{answer}", params=query)
        assert done.status_code == 200, done.text
        found: dict[str, Any] = done.json()
        return found

    async def requests(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.api.get(self.path)).json()["items"]
        return found


@pytest.fixture
async def stage(harness: ApiHarness) -> AsyncIterator[Stage]:
    found = Stage(harness)
    async with found.api:
        await harness.set_up(found.api, "Ana Beto Carla Dario")
        body = {"phase": "published", "consent_policy": "mutual"}
        assert (await found.api.patch(harness.path, json=body, headers=ANY_REVISION)).status_code == 200
        await found.deliver()
        await harness.settle()
        yield found


def counts(tried: dict[str, Any]) -> tuple[int, int, int]:
    found = tried["preview"]["counts"]
    return found["placed"], found["cancelled"], found["mailed"]


async def test_an_answer_shows_the_encounter_that_it_gives_and_takes(stage: Stage) -> None:
    tried = await stage.ask("Ana", "Beto", dry_run="true")
    assert (tried.status_code, counts(tried.json())) == (200, (0, 0, 0))
    assert await stage.requests() == []
    made = await stage.ask("Ana", "Beto", token=tried.json()["token"])
    assert made.status_code == 201
    await stage.deliver()

    request_id = made.json()["request_id"]
    accepted = await stage.answer(request_id, "acceptance", dry_run="true")
    assert counts(accepted) == (1, 0, 2)
    assert set(accepted["preview"]["names"].values()) == {"Ana", "Beto"}
    assert (await stage.requests())[0]["state"] == "requested"
    assert (await stage.answer(request_id, "acceptance", token=accepted["token"]))["state"] == "accepted"
    await stage.deliver()

    withdrawn = await stage.answer(request_id, "withdrawal", dry_run="true")
    assert counts(withdrawn) == (0, 1, 2)
    assert (await stage.answer(request_id, "withdrawal", token="*"))["state"] == "withdrawn"


async def test_a_token_of_other_effects_is_stale(stage: Stage) -> None:
    made = (await stage.ask("Ana", "Beto")).json()
    await stage.deliver()
    path = f"{stage.path}/{made['request_id']}/acceptance"
    stale = await stage.api.post(path, params={"token": "0" * 32})
    assert (stale.status_code, stale.json()["preview"]["counts"]["placed"]) == (412, 1)
    assert (await stage.answer(made["request_id"], "refusal", dry_run="true"))["preview"]["counts"]["placed"] == 0


async def test_a_request_that_exists_is_a_conflict_when_tried_too(stage: Stage) -> None:
    made = (await stage.ask("Ana", "Beto")).json()
    await stage.deliver()
    again = await stage.ask("Ana", "Beto", dry_run="true")
    assert (again.status_code, made["request_id"] in again.json()["detail"]) == (409, True)


async def test_a_declined_request_is_kept_when_its_target_only_tries_to_ask(stage: Stage) -> None:
    made = (await stage.ask("Ana", "Beto")).json()
    await stage.answer(made["request_id"], "refusal")
    await stage.deliver()
    assert counts((await stage.ask("Beto", "Ana", dry_run="true")).json()) == (0, 0, 0)
    assert (await stage.ask("Ana", "Beto")).status_code == 409


async def test_without_matching_a_dry_run_is_answered_with_503(harness: ApiHarness, stage: Stage) -> None:
    async with harness.client() as alone:
        body = {"requester_id": harness.people["Ana"], "target_id": harness.people["Beto"]}
        away = await alone.post(stage.path, json=body, params={"dry_run": "true"})
        assert (away.status_code, "?token=*" in away.json()["detail"]) == (503, True)
        assert (await alone.post(stage.path, json=body)).status_code == 201
