"""The day itself, as registration sees it: who has come."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from shared.contract.events import ParticipantChanged


def arrivals(store: Any) -> list[bool]:
    return [event.checked_in for event in store.events if isinstance(event, ParticipantChanged)]


async def test_a_check_in_is_told_once_and_can_be_taken_back(api: httpx.AsyncClient, fair: Any, store: Any) -> None:
    path = f"{fair.path}/participants/{fair.participants[0]}/check-in"
    registered = len(arrivals(store))
    for is_here in (True, False):
        for _ in range(2):
            answer = await (api.post(path) if is_here else api.delete(path))
            assert (answer.status_code, answer.json()["checked_in"]) == (200, is_here)
    assert arrivals(store)[registered:] == [True, False]


async def test_nothing_else_of_the_participant_changes(api: httpx.AsyncClient, fair: Any) -> None:
    path = f"{fair.path}/participants/{fair.participants[0]}"
    before = (await api.get(path)).json()
    after = (await api.post(f"{path}/check-in")).json()
    assert {name for name in after if after[name] != before[name]} == {"checked_in", "revision"}
    patched = await api.patch(path, json={"checked_in": False})
    assert patched.status_code == 422


@pytest.mark.parametrize("undo", ["cancelled", "closed"])
async def test_who_is_cancelled_or_too_late_is_refused(api: httpx.AsyncClient, fair: Any, undo: str) -> None:
    path = f"{fair.path}/participants/{fair.participants[0]}"
    if undo == "cancelled":
        await api.post(f"{path}/cancellation")
    else:
        await api.patch(fair.path, json={"phase": "closed"})
    assert (await api.post(f"{path}/check-in")).status_code == 409


async def test_nobody_checks_in_a_stranger(api: httpx.AsyncClient, rival: httpx.AsyncClient, fair: Any) -> None:
    assert (await api.post(f"{fair.path}/participants/prt_nobody/check-in")).status_code == 404
    assert (await rival.post(f"{fair.path}/participants/{fair.participants[0]}/check-in")).status_code == 404


@pytest.mark.parametrize(("minutes", "status"), [(0, 201), (1440, 201), (-1, 422), (1441, 422), ("30", 422)])
async def test_the_freeze_horizon_is_a_setting_of_the_edition(
    api: httpx.AsyncClient, bodies: Any, minutes: object, status: int
) -> None:
    answer = await api.post("/editions", json=bodies.edition(freeze_minutes=minutes))
    assert answer.status_code == status
