"""Consents of participants: recorded with time, text and author, and withdrawn at once."""

from __future__ import annotations

import hashlib
from typing import Any

import httpx

from services.registration.api.access import ApiContext
from shared.access import Principal, PrincipalKind
from shared.contract.events import ParticipantChanged
from tests.support.principals import client_as
from tests.support.registration_api import ANY_REVISION, EditionHarness, RegistrationHarness

TEXT = "Acepto que mi nombre aparezca en la lista de participantes."
GRANTED: dict[str, Any] = {"granted": True, "text_version": "2026-1", "text": TEXT}


def path_of(edition: EditionHarness) -> str:
    return f"{edition.path}/participants/{edition.participants[0]}"


async def test_a_consent_keeps_its_time_its_text_and_its_author(
    api: httpx.AsyncClient, edition: EditionHarness, registration: RegistrationHarness
) -> None:
    path = path_of(edition)
    recorded = (await api.put(f"{path}/consents/listed", json=GRANTED)).json()
    consent = recorded["consents"]["listed"]
    assert (consent["granted"], consent["text_version"]) == (True, "2026-1")
    assert consent["text_sha256"] == hashlib.sha256(TEXT.encode()).hexdigest()
    assert (consent["at"], consent["by"].startswith("key:")) == ("2026-11-01T09:00:00Z", True)
    event = (await registration.published())[-1]
    assert isinstance(event, ParticipantChanged)
    assert event.model_dump(mode="json")["consents"] == recorded["consents"]
    again = (await api.put(f"{path}/consents/listed", json=GRANTED)).json()
    assert again["revision"] == recorded["revision"]
    anew = (await api.put(f"{path}/consents/listed", json=GRANTED | {"text": f"{TEXT} 2"})).json()
    assert anew["revision"] == recorded["revision"] + 1


async def test_a_consent_is_withdrawn_in_a_closed_edition_too(api: httpx.AsyncClient, edition: EditionHarness) -> None:
    path = path_of(edition)
    await api.put(f"{path}/consents/contact", json=GRANTED)
    await edition.patch({"phase": "closed"})
    withdrawn = (await api.delete(f"{path}/consents/contact")).json()
    assert withdrawn["consents"]["contact"]["granted"] is False
    assert (await api.delete(f"{path}/consents/contact")).json()["revision"] == withdrawn["revision"]
    assert (await api.delete(f"{path}/consents/listed")).json()["revision"] == withdrawn["revision"]


async def test_another_person_has_answered_nothing(api: httpx.AsyncClient, edition: EditionHarness) -> None:
    path = path_of(edition)
    await api.put(f"{path}/consents/listed", json=GRANTED)
    corrected = await api.patch(path, json={"name": "P 1a, Dr."}, headers=ANY_REVISION)
    assert corrected.json()["consents"]["listed"]["granted"] is True
    successor = {"name": "Eva Sanz", "email": "eva@x.example"}
    assert (await api.patch(path, json=successor, headers=ANY_REVISION)).json()["consents"] == {}


async def test_answers_without_a_text_or_about_an_unknown_use_are_refused(
    api: httpx.AsyncClient, edition: EditionHarness
) -> None:
    path = path_of(edition)
    assert (await api.put(f"{path}/consents/listed", json={"granted": True})).status_code == 422
    assert (await api.put(f"{path}/consents/newsletter", json=GRANTED)).status_code == 404
    assert (await api.patch(path, json={"consents": {}}, headers=ANY_REVISION)).status_code == 422
    await api.post(f"{path}/erasure")
    assert (await api.put(f"{path}/consents/listed", json=GRANTED)).status_code == 409
    assert (await api.get(path)).json()["consents"] == {}


async def test_a_person_answers_by_the_link_of_the_mail_for_nobody_else(
    context: ApiContext, edition: EditionHarness
) -> None:
    own, other = edition.participants[:2]
    person = Principal(PrincipalKind.PARTICIPANT, own, "itecam", editions=frozenset({edition.edition_id}))
    async with client_as(context, person) as client:
        answer = await client.put(f"{edition.path}/participants/{own}/consents/listed", json=GRANTED)
        foreign = await client.put(f"{edition.path}/participants/{other}/consents/listed", json=GRANTED)
        withdrawn = await client.delete(f"{edition.path}/participants/{own}/consents/listed")
    assert answer.json()["consents"]["listed"]["by"] == f"participant:{own}"
    assert foreign.status_code == 404
    assert withdrawn.json()["consents"]["listed"]["granted"] is False
