"""Answers hold the personal data that the caller may see, and leave further fields out."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from services.registration.api.access import ApiContext
from services.registration.api.sight import NEEDED_SIGHT
from services.registration.domain.organisation import Organisation
from services.registration.domain.participant import Participant
from shared.access import Principal, Scope, StaffRole
from tests.support.principals import client_as, key_principal, staff_principal
from tests.support.registration_api import ANY_REVISION, EditionHarness, participant_body

#: Fields that tell nothing personal: all principals that may read the party see them.
OPEN = {
    Participant: {
        "operator_id", "edition_id", "participant_id", "organisation_id", "revision", "created_at", "changed_at",
        "status", "cancelled_with_organisation", "checked_in", "languages", "available", "calendar", "session_ids",
        "waiting_session_ids", "waiting_since", "seats", "shares_mailbox", "links", "person", "shown", "reach",
        "erased_at", "merged_into",
    },
    Organisation: {
        "operator_id", "edition_id", "organisation_id", "revision", "created_at", "changed_at", "status", "kind",
        "country", "region", "delegation", "interchangeable", "codes", "competitor_ids", "met_before", "booth",
        "erased_at", "merged_into",
    },
}  # fmt: skip
SECRETS = {
    "name": "Zoraida Quijano",
    "email": "zoraida@quijano.example",
    "phone": "+34 600 111 222",
    "job_title": "Directora de compras",
    "external_id": "crm-778899",
    "profile": {"offers": ["Troquelado de chapa"], "needs": []},
}


@pytest.mark.parametrize("kind", [Participant, Organisation])
def test_every_field_of_a_party_is_classified(kind: type[Participant | Organisation]) -> None:
    assert OPEN[kind] | NEEDED_SIGHT[kind].keys() == set(kind.model_fields)
    assert not OPEN[kind] & NEEDED_SIGHT[kind].keys()


async def registered(api: httpx.AsyncClient, edition: EditionHarness) -> dict[str, Any]:
    body = participant_body(edition.organisations[0], **SECRETS)
    answer = await api.post(f"{edition.path}/participants", json=body)
    person: dict[str, Any] = answer.json()
    return person


def seen(text: str) -> set[str]:
    """The personal data of the participant that a text holds."""
    return {field for field, value in SECRETS.items() if _needle(value) in text}


def _needle(value: Any) -> str:
    needle: str = value if isinstance(value, str) else value["offers"][0]
    return json.dumps(needle, ensure_ascii=False).strip('"')


@pytest.mark.parametrize(
    ("principal", "fields"),
    [
        (key_principal(Scope.READ), set[str]()),
        (key_principal(Scope.READ, Scope.WRITE), set[str]()),
        (key_principal(Scope.DESK), {"name", "job_title", "external_id"}),
        (key_principal(Scope.DIRECTORY), set(SECRETS)),
        (key_principal(Scope.READ, Scope.DIRECTORY), set(SECRETS)),
        (staff_principal(StaffRole.VIEWER), set[str]()),
        (staff_principal(StaffRole.DESK), {"name", "job_title", "external_id"}),
        (staff_principal(StaffRole.ORGANISER), set(SECRETS)),
    ],
)
async def test_lists_and_entities_show_what_the_principal_may_see(
    context: ApiContext, api: httpx.AsyncClient, edition: EditionHarness, principal: Principal, fields: set[str]
) -> None:
    person = await registered(api, edition)
    async with client_as(context, principal) as client:
        for path in (
            f"{edition.path}/participants/{person['participant_id']}",
            f"{edition.path}/participants",
            f"{edition.path}/participants/by-external-id/{SECRETS['external_id']}",
        ):
            answer = await client.get(path)
            assert answer.status_code == 200, path
            assert seen(answer.text) == fields, path


async def test_names_of_organisations_need_a_right_too(context: ApiContext, edition: EditionHarness) -> None:
    for principal, is_named in (
        (key_principal(Scope.READ), False),
        (staff_principal(StaffRole.VIEWER), True),
        (key_principal(Scope.DESK), True),
    ):
        async with client_as(context, principal) as client:
            answer = await client.get(f"{edition.path}/organisations")
            assert ("Empresa 1" in answer.text) is is_named


async def test_the_answers_to_changes_show_no_more_than_reads(
    context: ApiContext, api: httpx.AsyncClient, edition: EditionHarness
) -> None:
    person = await registered(api, edition)
    path = f"{edition.path}/participants/{person['participant_id']}"
    async with client_as(context, key_principal(Scope.READ, Scope.WRITE)) as client:
        answers = [
            await client.patch(path, json={"session_ids": ["opening"]}, headers=ANY_REVISION),
            await client.post(f"{path}/check-in"),
            await client.post(f"{path}/links/revocation"),
            await client.post(f"{path}/cancellation"),
            await client.post(f"{path}/reinstatement"),
            await client.delete(f"{path}/sessions/opening"),
            await client.get(f"{edition.path}/sessions"),
            await client.get(f"{path}/history"),
        ]
    for answer in answers:
        assert answer.status_code == 200, answer.text
        assert seen(answer.text) == set()
        assert "Empresa" not in answer.text


async def test_a_search_tells_nothing_that_the_caller_does_not_see(
    context: ApiContext, api: httpx.AsyncClient, edition: EditionHarness
) -> None:
    await registered(api, edition)
    async with client_as(context, key_principal(Scope.READ)) as client:
        for query in ("name=zoraida", "email=zoraida@quijano.example", "external_id=crm-778899"):
            assert (await client.get(f"/participants?{query}")).status_code == 403
            assert (await client.get(f"{edition.path}/participants?{query}")).status_code == 403
        for query in ("name=empresa", "domain=empresa.example", "external_id=x"):
            assert (await client.get(f"/organisations?{query}")).status_code == 403
    async with client_as(context, key_principal(Scope.DESK)) as client:
        answer = await client.get("/participants?name=zoraida")
        assert answer.status_code == 200
        assert seen(answer.text) == {"name", "job_title", "external_id"}


async def test_a_warning_about_days_names_ids_to_those_who_see_no_names(
    context: ApiContext, api: httpx.AsyncClient, edition: EditionHarness
) -> None:
    person = await registered(api, edition)
    stay = {"starts_at": "2026-11-26T09:00", "ends_at": "2026-11-26T09:30"}
    path = f"{edition.path}/participants/{person['participant_id']}"
    assert (await api.patch(path, json={"available": [stay]}, headers=ANY_REVISION)).status_code == 200
    days = {"days": [{"date": "2026-11-26", "starts": "10:00", "ends": "12:00"}]}
    async with client_as(context, key_principal(Scope.READ, Scope.WRITE)) as client:
        answer = await client.patch(edition.path, json=days | {"sessions": []}, headers=ANY_REVISION)
    assert answer.status_code == 200, answer.text
    assert person["participant_id"] in answer.text
    assert seen(answer.text) == set()
