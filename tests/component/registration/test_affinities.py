"""The endpoint of affinities, with matching replaced."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from services.registration.api.access import ApiContext
from services.registration.internal_clients import InternalClient, InternalClients
from tests.support.registration_api import EditionHarness, client_of


class RecordingClient(InternalClient):
    """A client of matching that records its requests."""

    def __init__(self) -> None:
        super().__init__("matching", None)
        self.asked: list[str] = []

    async def get(self, path: str, parameters: Any = None) -> dict[str, Any]:
        self.asked.append(path)
        first_id, second_id = path.split("/")[-2:]
        pair = {"participant_ids": [first_id, second_id], "requested_by": [first_id]}
        return {**pair, "hindrances": ["nobody_asked"], "score": 0.4}


@pytest.fixture
def matching() -> RecordingClient:
    return RecordingClient()


@pytest.fixture
def context(context: ApiContext, matching: RecordingClient) -> ApiContext:
    return ApiContext(
        context.store,
        context.authenticator,
        context.settings,
        context.clock,
        InternalClients(matching, InternalClient("scheduler", None)),
    )


async def test_the_affinity_of_a_pair_is_answered_by_matching(
    context: ApiContext, edition: EditionHarness, api: httpx.AsyncClient, matching: RecordingClient
) -> None:
    first_id, _, second_id, _ = edition.participants
    answer = await api.get(f"{edition.path}/affinities/{first_id}/{second_id}")
    assert (answer.status_code, answer.json()["hindrances"]) == (200, ["nobody_asked"])
    assert answer.json()["told"] == {first_id: "Usted pidió este encuentro.", second_id: "Pidieron reunirse con usted."}
    assert matching.asked == [f"/editions/{edition.edition_id}/affinities/{first_id}/{second_id}"]
    assert (await api.get(f"{edition.path}/affinities/{first_id}/prt_unknown")).status_code == 404
    async with client_of(context, "rival") as rival:
        assert (await rival.get(f"{edition.path}/affinities/{first_id}/{second_id}")).status_code == 404
    assert len(matching.asked) == 1
