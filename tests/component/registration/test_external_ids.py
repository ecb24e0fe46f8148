"""External ids: unique in an edition by kind, looked up, and registered or changed by them."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.support.registration_api import ANY_REVISION, EditionHarness, organisation_body, participant_body


def person(edition: EditionHarness, **changes: Any) -> dict[str, Any]:
    return participant_body(edition.organisations[0], **{"email": "new@x.example", "name": "Nina", **changes})


async def test_a_second_party_with_an_external_id_is_refused_by_name(
    api: httpx.AsyncClient, edition: EditionHarness
) -> None:
    people, companies = f"{edition.path}/participants", f"{edition.path}/organisations"
    first = await edition.post(people, person(edition, external_id="7"))
    await edition.post(companies, organisation_body(external_id="7"))
    created = await api.post(people, json=person(edition, email="b@x.example", external_id="7"))
    changed = await api.patch(f"{people}/{edition.participants[0]}", json={"external_id": "7"}, headers=ANY_REVISION)
    company = await api.post(companies, json=organisation_body(name="Otra", external_id="7"))
    for answer in (created, changed, company):
        assert answer.status_code == 409
        assert "external_id '7' is that of" in answer.json()["detail"]
    assert first["participant_id"] in created.json()["detail"]


async def test_other_editions_and_ids_that_look_like_addresses_are_free(
    api: httpx.AsyncClient, edition: EditionHarness
) -> None:
    second = await EditionHarness(api).set_up()
    await edition.post(f"{edition.path}/participants", person(edition, external_id="a1@x.example"))
    await second.post(f"{second.path}/participants", person(second, external_id="a1@x.example"))


async def test_a_cancelled_party_gives_its_external_id_up(api: httpx.AsyncClient, edition: EditionHarness) -> None:
    people = f"{edition.path}/participants"
    first = await edition.post(people, person(edition, external_id="7"))
    await edition.post(f"{people}/{first['participant_id']}/cancellation")
    second = await edition.post(people, person(edition, email="b@x.example", external_id="7"))
    found = (await api.get(f"{people}/by-external-id/7")).json()
    assert found["participant_id"] == second["participant_id"]
    assert (await api.post(f"{people}/{first['participant_id']}/reinstatement")).status_code == 409


@pytest.mark.parametrize("external_id", ["CRM-7", "a/b c?", "ñ&=#", "by-external-id/x"])
async def test_a_party_is_registered_and_changed_by_its_external_id(
    api: httpx.AsyncClient, edition: EditionHarness, external_id: str
) -> None:
    path = f"{edition.path}/participants/by-external-id/{quote(external_id)}"
    assert (await api.get(path)).status_code == 404
    created = await api.put(path, json=person(edition, session_ids=["opening"]))
    assert created.status_code == 201, created.text
    participant_id = created.json()["participant_id"]
    assert created.headers["location"] == f"/v1{edition.path}/participants/{participant_id}"
    again = await api.put(path, json=person(edition, session_ids=["opening"]))
    assert (again.status_code, again.json()["revision"]) == (200, 1)
    changed = await api.put(path, json={"name": "Nina Berg"})
    assert (changed.json()["name"], changed.json()["session_ids"]) == ("Nina Berg", ["opening"])
    assert (await api.get(path)).json()["participant_id"] == participant_id


async def test_an_organisation_is_registered_and_changed_by_its_external_id(
    api: httpx.AsyncClient, edition: EditionHarness
) -> None:
    path = f"{edition.path}/organisations/by-external-id/A-1"
    assert (await api.put(path, json=organisation_body(name="Forja"))).status_code == 201
    assert (await api.put(path, json={"booth": "12"})).json()["booth"] == "12"
    assert (await api.get(path)).json()["name"] == "Forja"


async def test_many_at_once_register_a_single_party(api: httpx.AsyncClient, edition: EditionHarness) -> None:
    path = f"{edition.path}/participants/by-external-id/7"
    answers = await asyncio.gather(*(api.put(path, json=person(edition)) for _ in range(6)))
    assert sorted({answer.status_code for answer in answers}) == [200, 201]
    assert len({answer.json()["participant_id"] for answer in answers}) == 1


@pytest.mark.parametrize(
    ("body", "query", "status", "pointer"),
    [
        ({"external_id": "8"}, "", 422, "/external_id"),
        ({"name": "Nina"}, "", 422, "/organisation_id"),
        (None, "?dry_run=true", 422, "/query/dry_run"),
    ],
)
async def test_a_body_that_cannot_be_is_refused(
    api: httpx.AsyncClient, edition: EditionHarness, body: dict[str, Any] | None, query: str, status: int, pointer: str
) -> None:
    path = f"{edition.path}/participants/by-external-id/7{query}"
    answer = await api.put(path, json=person(edition) if body is None else body)
    assert answer.status_code == status
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert (await api.get(path.partition("?")[0])).status_code == 404


async def test_a_cancelled_party_does_not_come_back_by_itself(api: httpx.AsyncClient, edition: EditionHarness) -> None:
    path = f"{edition.path}/participants/by-external-id/7"
    created = (await api.put(path, json=person(edition))).json()
    await api.post(f"{edition.path}/participants/{created['participant_id']}/cancellation")
    answer = await api.put(path, json={"name": "Other"})
    assert answer.status_code == 409
    assert "reinstate it first" in answer.json()["detail"]


async def test_an_import_refuses_rows_whose_external_id_is_that_of_another(
    api: httpx.AsyncClient, edition: EditionHarness
) -> None:
    await edition.post(f"{edition.path}/participants", person(edition, external_id="7"))
    await edition.post(f"{edition.path}/organisations", organisation_body(name="Forja", external_id="7"))
    people = (
        "Organisation,Name,E-mail,External id\n"
        "Empresa 1,Otra,otra@x.example,7\nEmpresa 1,Eva,eva@x.example,8\nEmpresa 1,Leo,leo@x.example,8\n"
    )
    companies = "Name,Country,External id\nNueva,ES,7\n"
    for kind, rows, expected in (
        ("participants", people, ["'7' is the id of Nina (new@x.example)", "'8' is the id on line 3 already"]),
        ("organisations", companies, ["'7' is the id of Forja"]),
    ):
        for query in ("?dry_run=true", ""):
            answer = await api.post(
                f"{edition.path}/imports/{kind}{query}", content=rows, headers={"Content-Type": "text/csv"}
            )
            assert answer.status_code == 200, answer.text
            reasons = [rejection["reason"].split(": ")[1] for rejection in answer.json()["rejected"]]
            assert reasons == expected
