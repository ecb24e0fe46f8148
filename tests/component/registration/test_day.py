"""Check-in of participants on the event day."""

from __future__ import annotations

import httpx
import pytest

from shared.contract.events import ParticipantChanged
from tests.support.registration_api import ANY_REVISION, EditionHarness, RegistrationHarness, edition_body


async def arrivals(registration: RegistrationHarness) -> list[bool]:
    return [event.checked_in for event in await registration.published() if isinstance(event, ParticipantChanged)]


async def test_a_check_in_is_published_once_and_can_be_taken_back(
    api: httpx.AsyncClient, edition: EditionHarness, registration: RegistrationHarness
) -> None:
    path = f"{edition.path}/participants/{edition.participants[0]}/check-in"
    registered = len(await arrivals(registration))
    for is_here in (True, False):
        for _ in range(2):
            answer = await (api.post(path) if is_here else api.delete(path))
            assert (answer.status_code, answer.json()["checked_in"]) == (200, is_here)
    assert (await arrivals(registration))[registered:] == [True, False]


async def test_a_check_in_changes_no_other_field(api: httpx.AsyncClient, edition: EditionHarness) -> None:
    path = f"{edition.path}/participants/{edition.participants[0]}"
    before = (await api.get(path)).json()
    after = (await api.post(f"{path}/check-in")).json()
    assert {name for name in after if after[name] != before[name]} == {"checked_in", "revision"}
    patched = await api.patch(path, json={"checked_in": False}, headers=ANY_REVISION)
    assert patched.status_code == 422


@pytest.mark.parametrize("undo", ["cancelled", "closed"])
async def test_a_check_in_is_refused_after_cancellation_or_close(
    api: httpx.AsyncClient, edition: EditionHarness, undo: str
) -> None:
    path = f"{edition.path}/participants/{edition.participants[0]}"
    if undo == "cancelled":
        await api.post(f"{path}/cancellation")
    else:
        await api.patch(edition.path, json={"phase": "closed"}, headers=ANY_REVISION)
    assert (await api.post(f"{path}/check-in")).status_code == 409


async def test_an_unknown_participant_cannot_be_checked_in(
    api: httpx.AsyncClient, rival: httpx.AsyncClient, edition: EditionHarness
) -> None:
    assert (await api.post(f"{edition.path}/participants/prt_nobody/check-in")).status_code == 404
    assert (await rival.post(f"{edition.path}/participants/{edition.participants[0]}/check-in")).status_code == 404


@pytest.mark.parametrize(("minutes", "status"), [(0, 201), (1440, 201), (-1, 422), (1441, 422), ("30", 422)])
async def test_the_freeze_of_an_edition_is_between_none_and_a_day(
    api: httpx.AsyncClient, minutes: object, status: int
) -> None:
    answer = await api.post("/editions", json=edition_body(freeze_minutes=minutes))
    assert answer.status_code == status
