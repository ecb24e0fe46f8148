from __future__ import annotations

from typing import Any

import httpx
import pytest

from services.registration.api.access import ApiContext
from services.registration.internal_clients import InternalClient, InternalClients
from tests.component.registration.conftest import client_of


class Matching(InternalClient):
    """Stands in for matching: keeps what it is asked."""

    def __init__(self) -> None:
        super().__init__("matching", None)
        self.asked: list[str] = []

    async def get(self, path: str, parameters: Any = None) -> dict[str, Any]:
        self.asked.append(path)
        return {"participant_ids": ["a", "b"], "hindrances": ["nobody_asked"], "score": 0.4}


@pytest.fixture
def matching() -> Matching:
    return Matching()


@pytest.fixture
def context(context: ApiContext, matching: Matching) -> ApiContext:
    return ApiContext(
        context.store,
        context.authenticator,
        context.settings,
        context.clock,
        InternalClients(matching, InternalClient("scheduler", None)),
    )


async def test_an_operator_is_told_what_matching_knows_of_a_pair(
    context: ApiContext, fair: Any, api: httpx.AsyncClient, matching: Matching
) -> None:
    one, _, other, _ = fair.participants
    answer = await api.get(f"{fair.path}/affinities/{one}/{other}")
    assert (answer.status_code, answer.json()["hindrances"]) == (200, ["nobody_asked"])
    assert matching.asked == [f"/editions/{fair.edition_id}/affinities/{one}/{other}"]
    assert (await api.get(f"{fair.path}/affinities/{one}/prt_unknown")).status_code == 404
    async with client_of(context, "rival") as rival:
        assert (await rival.get(f"{fair.path}/affinities/{one}/{other}")).status_code == 404
    assert len(matching.asked) == 1
