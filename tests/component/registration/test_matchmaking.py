"""Fields of an edition that matching reads, rounds of proposals, and blocked participants."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from services.registration.domain.edition import Edition
from shared.contract.events.registration import NEWEST_AFFINITY_VERSION
from tests.support.registration_api import ANY_REVISION, EditionHarness


async def test_a_new_edition_is_scored_by_the_newest_configuration(
    api: httpx.AsyncClient, edition: EditionHarness
) -> None:
    body = (await api.get(edition.path)).json()
    assert body["affinity_version"] == NEWEST_AFFINITY_VERSION
    changed = await api.patch(edition.path, json={"affinity_version": "1"}, headers=ANY_REVISION)
    assert changed.json()["affinity_version"] == "1"
    del body["affinity_version"], body["filling"]
    assert Edition.model_validate(body).snapshot().affinity_version == "1"


async def test_each_request_for_proposals_is_another_round(api: httpx.AsyncClient, edition: EditionHarness) -> None:
    for number in (1, 2):
        answer = await api.post(f"{edition.path}/proposals", json={"encounters": 6})
        assert answer.status_code == 200
        assert answer.json()["filling"] == {"round": number, "encounters": 6}
    await api.patch(edition.path, json={"name": "Another name"}, headers=ANY_REVISION)
    assert (await api.get(edition.path)).json()["filling"]["round"] == 2
    await api.patch(edition.path, json={"phase": "closed"}, headers=ANY_REVISION)
    assert (await api.post(f"{edition.path}/proposals", json={"encounters": 6})).status_code == 409


@pytest.mark.parametrize("body", [{}, {"encounters": 0}, {"encounters": 51}, {"encounters": "6"}, {"round": 1}])
async def test_a_round_with_an_invalid_number_is_refused(
    api: httpx.AsyncClient, edition: EditionHarness, body: Any
) -> None:
    assert (await api.post(f"{edition.path}/proposals", json=body)).status_code == 422


@pytest.mark.parametrize("blocker", [0, 2])
@pytest.mark.parametrize("by_organisation", [False, True])
async def test_a_blocked_participant_looks_unknown(
    api: httpx.AsyncClient, edition: EditionHarness, blocker: int, by_organisation: bool
) -> None:
    blocked_id = edition.participants[2 - blocker]
    if by_organisation:
        blocked_id = (await api.get(f"{edition.path}/participants/{blocked_id}")).json()["organisation_id"]
    path = f"{edition.path}/participants/{edition.participants[blocker]}"
    assert (await api.patch(path, json={"blocked_ids": [blocked_id]}, headers=ANY_REVISION)).status_code == 200
    asked = {"requester_id": edition.participants[0], "target_id": edition.participants[2]}
    refused = await api.post(f"{edition.path}/match-requests", json=asked)
    unknown = await api.post(f"{edition.path}/match-requests", json=asked | {"target_id": "prt_nobody"})
    assert refused.status_code == unknown.status_code == 422
    assert refused.json()["errors"] == unknown.json()["errors"]
