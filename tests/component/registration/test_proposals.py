"""The endpoint of proposals, with matching replaced."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from services.registration.api.access import ApiContext
from services.registration.internal_clients import InternalClient, InternalClients
from tests.support.registration_api import EditionHarness, client_of


class ProposingClient(InternalClient):
    """A client of matching that answers with two proposals, and records its queries."""

    def __init__(self) -> None:
        super().__init__("matching", None)
        self.participant_ids: list[str] = []
        self.queries: list[dict[str, str]] = []

    async def get(self, path: str, parameters: Any = None) -> dict[str, Any]:
        self.queries.append(parameters)
        common = {
            "participant_ids": self.participant_ids,
            "reasons": [{"code": "kets", "weight": 0.1, "detail": "ket:photonics"}],
        }
        common |= {"consent": "pending", "request_ids": ["req_1"], "configuration": "2", "low_confidence": []}
        items = [{"pair_id": f"pair_{number}", "score": 0.9 / number, **common} for number in (1, 2)]
        return {"items": items[: int(parameters["limit"])]}


@pytest.fixture
def matching() -> ProposingClient:
    return ProposingClient()


@pytest.fixture
def context(context: ApiContext, matching: ProposingClient) -> ApiContext:
    return ApiContext(
        context.store,
        context.authenticator,
        context.settings,
        context.clock,
        InternalClients(matching, InternalClient("scheduler", None)),
    )


async def test_an_organiser_pages_through_proposals_with_names(
    context: ApiContext, edition: EditionHarness, api: httpx.AsyncClient, matching: ProposingClient
) -> None:
    matching.participant_ids = sorted(edition.participants[:2])
    page = (await api.get(f"{edition.path}/proposals", params={"limit": 1})).json()
    assert [item["score"] for item in page["items"]] == [0.9]
    assert set(page["names"]) == set(matching.participant_ids)
    assert page["told"] == {"pair_1": dict.fromkeys(matching.participant_ids, "En común: tecnología: fotónica.")}
    assert page["next"] == "9000-pair_1"
    params = {"after": page["next"], "participant_id": matching.participant_ids[0]}
    assert (await api.get(f"{edition.path}/proposals", params=params)).json()["next"] is None
    assert matching.queries == [{"limit": "2", "after": ""}, {"limit": "101", **params}]
    async with client_of(context, "rival") as rival:
        assert (await rival.get(f"{edition.path}/proposals")).status_code == 404
