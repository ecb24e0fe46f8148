"""What registration tells matching beyond profiles and requests: versions, rounds of proposals, who is kept apart."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from services.registration.domain.edition import Edition
from shared.contract.events.registration import NEWEST_AFFINITY_VERSION


async def test_a_new_edition_names_the_newest_configuration_and_one_kept_from_before_the_first(
    api: httpx.AsyncClient, fair: Any
) -> None:
    body = (await api.get(fair.path)).json()
    assert body["affinity_version"] == NEWEST_AFFINITY_VERSION
    changed = await api.patch(fair.path, json={"affinity_version": "1"})
    assert changed.json()["affinity_version"] == "1"
    del body["affinity_version"], body["filling"]
    assert Edition.model_validate(body).snapshot().affinity_version == "1"


async def test_each_word_of_the_organiser_is_another_round_of_proposals(api: httpx.AsyncClient, fair: Any) -> None:
    for number in (1, 2):
        answer = await api.post(f"{fair.path}/proposals", json={"encounters": 6})
        assert answer.status_code == 200
        assert answer.json()["filling"] == {"round": number, "encounters": 6}
    await api.patch(fair.path, json={"name": "Another name"})
    assert (await api.get(fair.path)).json()["filling"]["round"] == 2
    await api.patch(fair.path, json={"phase": "closed"})
    assert (await api.post(f"{fair.path}/proposals", json={"encounters": 6})).status_code == 409


@pytest.mark.parametrize("body", [{}, {"encounters": 0}, {"encounters": 51}, {"encounters": "6"}, {"round": 1}])
async def test_a_round_without_a_sensible_number_is_refused(api: httpx.AsyncClient, fair: Any, body: Any) -> None:
    assert (await api.post(f"{fair.path}/proposals", json=body)).status_code == 422


@pytest.mark.parametrize("blocker", [0, 2])
@pytest.mark.parametrize("by_organisation", [False, True])
async def test_who_is_blocked_is_told_what_a_stranger_is_told(
    api: httpx.AsyncClient, fair: Any, blocker: int, by_organisation: bool
) -> None:
    other = fair.participants[2 - blocker]
    them = (await api.get(f"{fair.path}/participants/{other}")).json()["organisation_id"] if by_organisation else other
    blocked = await api.patch(f"{fair.path}/participants/{fair.participants[blocker]}", json={"blocked_ids": [them]})
    assert blocked.status_code == 200
    asked = {"requester_id": fair.participants[0], "target_id": fair.participants[2]}
    refused = await api.post(f"{fair.path}/match-requests", json=asked)
    unknown = await api.post(f"{fair.path}/match-requests", json=asked | {"target_id": "prt_nobody"})
    assert refused.status_code == unknown.status_code == 422
    assert refused.json()["errors"] == unknown.json()["errors"]
