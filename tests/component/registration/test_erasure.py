"""Erasure of participants and organisations."""

from __future__ import annotations

import json
from typing import Any

import httpx

from services.registration.domain.organisation import Organisation
from services.registration.domain.participant import Participant
from services.registration.domain.parties import KEPT_IN_ERASURE, STAND_INS
from services.registration.rebuild import entities_of
from services.registration.use_cases.erasure import repeat_due_erasures
from shared.contract.events import OrganisationErased, ParticipantChanged, ParticipantErased
from shared.messaging.topic_log import EditionEvents
from tests.support.registration_api import (
    ANY_REVISION,
    Clock,
    EditionHarness,
    RegistrationHarness,
    organisation_body,
    participant_body,
)

TEXTS = ("Zacarías", "zaca", "+34926111222", "Directora", "EXT-77", "Corte por láser", "Forja")
ZACA: dict[str, Any] = {
    "name": "Zacarías Núñez",
    "email": "zaca@nandu.example",
    "phone": "+34926111222",
    "job_title": "Directora",
    "external_id": "EXT-77",
    "profile": {"offers": ["Corte por láser"], "needs": ["Forja"]},
    "session_ids": ["opening"],
}


def stored(registration: RegistrationHarness) -> str:
    """Return all documents of all collections as text."""
    tables = registration.servers.mongo.tables
    return json.dumps({str(name): table.documents for name, table in tables.items()}, default=str, ensure_ascii=False)


async def registered(edition: EditionHarness, **fields: Any) -> str:
    body = participant_body(edition.organisations[0], **{**ZACA, **fields})
    made = await edition.post(f"{edition.path}/participants", body)
    return f"{edition.path}/participants/{made['participant_id']}"


async def test_no_text_of_an_erased_person_is_left_in_any_collection(
    api: httpx.AsyncClient, edition: EditionHarness, registration: RegistrationHarness
) -> None:
    path = await registered(edition)
    answer = await api.patch(path, json={"blocked_ids": [edition.participants[2]]}, headers=ANY_REVISION)
    assert answer.is_success
    assert all(text in stored(registration) for text in TEXTS)
    report = (await api.post(f"{path}/erasure")).json()
    assert [party["kind"] for party in report["parties"]] == ["participant"]
    assert report["cancels"] is True
    assert not [text for text in TEXTS if text in stored(registration)]
    event = (await registration.published())[-1]
    assert isinstance(event, ParticipantErased)
    assert (event.session_ids, event.links, event.status) == (("opening",), 1, "cancelled")
    gone = (await api.get(path)).json()
    assert (gone["name"], gone["erased_at"] is not None) == ("Erased participant", True)


async def test_a_dry_run_erases_nothing_and_tells_what_goes_and_what_stays(
    api: httpx.AsyncClient, edition: EditionHarness, registration: RegistrationHarness
) -> None:
    path = await registered(edition)
    before = stored(registration)
    report = (await api.post(f"{path}/erasure?dry_run=true")).json()
    assert report["dry_run"] is True
    assert {"participants", "registration.v1"} <= {place["place"] for place in report["goes"]}
    assert "erasures" in {place["place"] for place in report["stays"]}
    assert stored(registration) == before


async def test_an_organisation_goes_with_its_participants(
    api: httpx.AsyncClient, edition: EditionHarness, registration: RegistrationHarness
) -> None:
    path = f"{edition.path}/organisations/{edition.organisations[1]}"
    report = (await api.post(f"{path}/erasure")).json()
    assert [party["id"] for party in report["parties"]] == [edition.organisations[1], *sorted(edition.participants[2:])]
    assert "Empresa 2" not in stored(registration)
    assert "P 2a" not in stored(registration)
    events = [event for event in await registration.published() if isinstance(event, OrganisationErased)]
    assert [(event.kind, event.country) for event in events] == [("sme", "ES")]
    again = await api.post(f"{edition.path}/organisations", json=organisation_body(name="Empresa 2"))
    assert again.status_code == 201


async def test_the_same_person_registered_again_is_a_new_participant(
    api: httpx.AsyncClient, edition: EditionHarness
) -> None:
    path = await registered(edition)
    await api.post(f"{path}/erasure")
    again = await registered(edition)
    assert again != path
    assert (await api.get(again)).json()["name"] == "Zacarías Núñez"


async def test_an_erased_participant_is_neither_changed_nor_reinstated(
    api: httpx.AsyncClient, edition: EditionHarness
) -> None:
    path = await registered(edition)
    await api.post(f"{path}/erasure")
    revision = (await api.get(path)).json()["revision"]
    for answer in (
        await api.patch(path, json={"name": "Zacarías"}, headers=ANY_REVISION),
        await api.post(f"{path}/reinstatement"),
    ):
        assert answer.status_code == 409
        assert "was erased and stays so" in answer.json()["detail"]
    assert (await api.post(f"{path}/erasure")).is_success
    assert (await api.get(path)).json()["revision"] == revision


async def test_in_a_closed_edition_the_status_of_an_erased_participant_stays(
    api: httpx.AsyncClient, edition: EditionHarness
) -> None:
    path = await registered(edition)
    await edition.patch({"phase": "closed"})
    report = (await api.post(f"{path}/erasure")).json()
    assert report["cancels"] is False
    assert (await api.get(path)).json()["status"] == "active"


async def test_the_erasure_is_published_again_after_all_events_of_before(
    api: httpx.AsyncClient, edition: EditionHarness, registration: RegistrationHarness, clock: Clock
) -> None:
    path = await registered(edition)
    await api.post(f"{path}/erasure")
    context = registration.context
    for minutes, published in ((5, 1), (6, 2), (60, 2)):
        clock.advance(minutes=minutes)
        await repeat_due_erasures(context.erasure_stores, clock)
        events = [event for event in await registration.published() if isinstance(event, ParticipantErased)]
        assert len(events) == published


async def test_an_erasure_is_carried_out_again_in_a_restored_backup(
    api: httpx.AsyncClient, edition: EditionHarness, registration: RegistrationHarness, clock: Clock
) -> None:
    path = await registered(edition)
    documents = registration.servers.mongo.tables["tertulia_registration", "participants"].documents
    backup = {name: dict(document) for name, document in documents.items()}
    await api.post(f"{path}/erasure")
    documents.update(backup)
    assert "Zacarías" in stored(registration)
    context = registration.context
    clock.advance(minutes=11)
    await repeat_due_erasures(context.erasure_stores, clock)
    assert not [text for text in TEXTS if text in stored(registration)]


async def test_an_erased_participant_is_rebuilt_from_the_topics(
    api: httpx.AsyncClient, edition: EditionHarness, registration: RegistrationHarness
) -> None:
    path = await registered(edition)
    await api.post(f"{path}/erasure")
    await api.post(f"{edition.path}/organisations/{edition.organisations[1]}/erasure")
    events = await registration.published()
    rebuilt = {entity.id: entity.snapshot() for entity in entities_of(EditionEvents(events))}
    without_author = {"actor": None, "changed": ()}
    unauthored = {"actor": None, "changed": ()}
    erased = {
        event.thing_id: event.model_copy(update=unauthored)
        for event in events
        if isinstance(event, ParticipantErased | OrganisationErased)
    }
    assert len(erased) == 4
    assert {entity_id: rebuilt[entity_id] for entity_id in erased} == {
        entity_id: event.model_copy(update=without_author) for entity_id, event in erased.items()
    }
    assert isinstance(rebuilt[edition.participants[0]], ParticipantChanged)


async def test_the_merged_registrations_of_a_person_go_together(
    api: httpx.AsyncClient, edition: EditionHarness, registration: RegistrationHarness
) -> None:
    for number, (erased, twin) in enumerate((("kept", "duplicate"), ("duplicate", "kept"))):
        paths = {
            role: await registered(edition, email=f"{role}{number}@nandu.example", external_id=f"{role}-{number}")
            for role in ("kept", "duplicate")
        }
        body = {"merged_id": paths["duplicate"].rpartition("/")[2]}
        merged = await api.post(f"{paths['kept']}/merges", json=body, params={"token": "*"})
        assert merged.is_success, merged.text
        report = (await api.post(f"{paths[erased]}/erasure")).json()
        assert len(report["parties"]) == 2
        assert (await api.get(paths[twin])).json()["erased_at"] is not None
        assert not [text for text in TEXTS if text in stored(registration)]


async def test_another_operator_s_participant_cannot_be_erased(
    rival: httpx.AsyncClient, edition: EditionHarness
) -> None:
    answer = await rival.post(f"{edition.path}/participants/{edition.participants[0]}/erasure")
    assert answer.status_code == 404


def test_an_erasure_resets_every_field_that_it_does_not_keep() -> None:
    for kind in (Organisation, Participant):
        required = {name for name, field in kind.model_fields.items() if field.is_required()}
        assert required <= KEPT_IN_ERASURE[kind] | STAND_INS[kind].keys()
