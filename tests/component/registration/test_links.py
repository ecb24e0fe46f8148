"""Revocation of a participant's links."""

from __future__ import annotations

import httpx

from shared.contract.events import ParticipantChanged
from tests.support.registration_api import EditionHarness, RegistrationHarness


async def test_a_revocation_ends_the_links_of_that_participant(
    api: httpx.AsyncClient, edition: EditionHarness, registration: RegistrationHarness
) -> None:
    path = f"{edition.path}/participants/{edition.participants[0]}"
    before = (await api.get(path)).json()
    after = (await api.post(f"{path}/links/revocation")).json()
    event = (await registration.published())[-1]
    assert isinstance(event, ParticipantChanged)
    assert event.links == 1
    assert (before["links"], after["links"], after["revision"]) == (0, 1, before["revision"] + 1)
    assert (await api.post(f"{path}/links/revocation")).json()["links"] == 2
    assert (await api.get(f"{edition.path}/participants/{edition.participants[1]}")).json()["links"] == 0


async def test_a_revocation_of_an_unknown_participant_is_404(api: httpx.AsyncClient, edition: EditionHarness) -> None:
    answer = await api.post(f"{edition.path}/participants/prt_unknown/links/revocation")
    assert answer.status_code == 404


async def test_links_cannot_be_set_by_a_change(api: httpx.AsyncClient, edition: EditionHarness) -> None:
    path = f"{edition.path}/participants/{edition.participants[0]}"
    answer = await api.patch(path, json={"links": 0}, headers={"if-match": "*"})
    assert answer.status_code == 422
