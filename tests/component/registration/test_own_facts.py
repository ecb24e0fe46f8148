"""A participant changes the own profile, hours and sessions, finds people to meet, and takes an acceptance back."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from services.registration.api.access import ApiContext
from services.registration.internal_clients import InternalClient, InternalClients
from shared.access import Principal, PrincipalKind
from tests.support.principals import client_as
from tests.support.registration_api import ANY_REVISION, EditionHarness


class CandidateClient(InternalClient):
    """A client of matching that answers with one candidate."""

    def __init__(self) -> None:
        super().__init__("matching", None)
        self.partner_id = ""

    async def get(self, path: str, parameters: Any = None) -> dict[str, Any]:
        reasons = [{"code": "kets", "weight": 0.1, "detail": "ket:photonics"}]
        return {"items": [{"participant_id": self.partner_id, "score": 0.8, "reasons": reasons}]}


@pytest.fixture
def matching() -> CandidateClient:
    return CandidateClient()


@pytest.fixture
def context(context: ApiContext, matching: CandidateClient) -> ApiContext:
    clients = InternalClients(matching, InternalClient("scheduler", None))
    return ApiContext(context.store, context.authenticator, context.settings, context.clock, clients)


def as_participant(context: ApiContext, edition: EditionHarness, number: int = 0) -> httpx.AsyncClient:
    """Return a client with the rights of a participant's link."""
    own = frozenset({edition.edition_id})
    participant_id = edition.participants[number]
    return client_as(context, Principal(PrincipalKind.PARTICIPANT, participant_id, "itecam", editions=own))


async def test_a_participant_changes_own_facts_and_no_others(context: ApiContext, edition: EditionHarness) -> None:
    own = f"{edition.path}/participants/{edition.participants[0]}/own"
    async with as_participant(context, edition) as ana:
        changed = await ana.patch(own, json={"profile": {"needs": ["Glue"]}, "phone": "+34 600"}, headers=ANY_REVISION)
        assert changed.json()["profile"]["needs"] == ["Glue"]
        for field, value in {"name": "X", "email": "x@x.example", "organisation_id": "org", "blocked_ids": []}.items():
            refused = await ana.patch(own, json={field: value}, headers=ANY_REVISION)
            assert refused.status_code == 422
            assert refused.json()["errors"][0]["pointer"] == f"/{field}"
        stale = await ana.patch(own, json={"phone": "1"}, headers={"If-Match": '"1"'})
        assert stale.status_code == 412
        other = f"{edition.path}/participants/{edition.participants[1]}/own"
        assert (await ana.patch(other, json={"phone": "1"}, headers=ANY_REVISION)).status_code == 404


async def test_candidates_come_with_the_reason_in_the_participant_s_language(
    context: ApiContext, edition: EditionHarness, matching: CandidateClient
) -> None:
    matching.partner_id = edition.participants[2]
    async with as_participant(context, edition) as ana:
        found = (await ana.get(f"{edition.path}/participants/{edition.participants[0]}/candidates")).json()
    assert [item["participant_id"] for item in found["items"]] == [edition.participants[2]]
    assert found["told"] == {edition.participants[2]: "En común: tecnología: fotónica."}


async def test_an_acceptance_is_taken_back_by_its_participant_alone(
    context: ApiContext, edition: EditionHarness, api: httpx.AsyncClient
) -> None:
    ids = {"requester_id": edition.participants[0], "target_id": edition.participants[2]}
    asked = (await api.post(f"{edition.path}/match-requests", json=ids)).json()["request_id"]
    paths = [f"{edition.path}/participants/{edition.participants[number]}/match-requests/{asked}" for number in (0, 2)]
    async with as_participant(context, edition, 2) as bob, as_participant(context, edition) as ana:
        assert (await bob.post(f"{paths[1]}/retraction")).status_code == 409
        assert (await bob.post(f"{paths[1]}/acceptance")).json()["state"] == "accepted"
        assert (await ana.post(f"{paths[0]}/retraction")).status_code == 404
        for _ in range(2):
            assert (await bob.post(f"{paths[1]}/retraction")).json()["state"] == "declined"
