"""Searches for participants and organisations, and query parameters that an endpoint does not have."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.support.registration_api import EditionHarness, edition_body, organisation_body, participant_body

PEOPLE = (
    {"name": "José María Núñez-García", "email": "Jose.Nunez@faß.de", "external_id": "CRM/7 a"},
    {"name": "Søren Łukasz", "email": "soren@acme.example"},
    {"name": "Maria Garcilaso", "email": "maria@acme.example", "external_id": "crm/7 a"},
    {"name": "山田太郎", "email": "yamada@acme.example"},
)


@pytest.fixture
async def found_in(api: httpx.AsyncClient) -> EditionHarness:
    """An edition with four people, of an organisation with a website."""
    edition = EditionHarness(api)
    edition.edition_id = (await edition.post("/editions", edition_body()))["edition_id"]
    edition.path = f"/editions/{edition.edition_id}"
    acme = organisation_body(name="Cañadas & Hijos, S.L.", website="https://www.Faß.de:443/x", external_id="A-1")
    edition.organisations = [(await edition.post(f"{edition.path}/organisations", acme))["organisation_id"]]
    for person in PEOPLE:
        body = participant_body(edition.organisations[0], **person)
        edition.participants.append((await edition.post(f"{edition.path}/participants", body))["participant_id"])
    return edition


async def numbers(api: httpx.AsyncClient, edition: EditionHarness, path: str, **query: str) -> list[int]:
    """Return the people that a search finds, as their numbers."""
    answer = await api.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return sorted(edition.participants.index(item["participant_id"]) for item in answer.json()["items"])


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"email": "JOSE.NUNEZ@xn--fa-hia.de"}, [0]),
        ({"email": " jose.nunez@FAß.DE "}, [0]),
        ({"email": "jose.nunez@fass.de"}, []),
        ({"email": "jose.nunez@fa"}, None),
        ({"name": "nunez"}, [0]),
        ({"name": "NÚÑEZ garc"}, [0]),
        ({"name": "garc maria"}, [0, 2]),
        ({"name": "arcia"}, []),
        ({"name": "soren lukasz"}, [1]),
        ({"name": "山田"}, [3]),
        ({"name": " - "}, None),
        ({"external_id": "CRM/7 a"}, [0]),
        ({"external_id": "CRM/7"}, []),
        ({"name": "maria", "email": "maria@acme.example"}, [2]),
        ({"name": "soren", "email": "maria@acme.example"}, []),
        ({"organisation": "ORG", "name": "maria"}, [0, 2]),
        ({"organisation": "org_other"}, []),
    ],
)
async def test_people_are_found_by_what_an_operator_knows(
    api: httpx.AsyncClient, found_in: EditionHarness, query: dict[str, str], found: list[int] | None
) -> None:
    asked = {name: value.replace("ORG", found_in.organisations[0]) for name, value in query.items()}
    for path in (f"{found_in.path}/participants", "/participants"):
        if found is None:
            refused = await api.get(path, params=asked)
            assert refused.status_code == 422
            assert refused.json()["errors"][0]["pointer"].startswith("/query/")
        else:
            assert await numbers(api, found_in, path, **asked) == found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"domain": "faß.de"}, True),
        ({"domain": "https://xn--fa-hia.de/about"}, True),
        ({"domain": "fass.de"}, False),
        ({"domain": "de"}, True),
        ({"domain": "ß.de"}, False),
        ({"name": "canadas hijos"}, True),
        ({"external_id": "A-1"}, True),
        ({"external_id": "a-1"}, False),
    ],
)
async def test_organisations_are_found_by_domain_name_and_external_id(
    api: httpx.AsyncClient, found_in: EditionHarness, query: dict[str, str], *, found: bool
) -> None:
    for path in (f"{found_in.path}/organisations", "/organisations"):
        items = (await api.get(path, params=query)).json()["items"]
        assert [item["organisation_id"] for item in items] == (found_in.organisations if found else [])


async def test_a_search_follows_a_change_and_finds_cancelled_people(
    api: httpx.AsyncClient, found_in: EditionHarness
) -> None:
    path = f"{found_in.path}/participants/{found_in.participants[1]}"
    await api.patch(path, json={"name": "Nina Berg"}, headers={"If-Match": "*"})
    await api.post(f"{path}/cancellation")
    assert await numbers(api, found_in, f"{found_in.path}/participants", name="soren") == []
    assert await numbers(api, found_in, f"{found_in.path}/participants", name="berg") == [1]


async def test_a_search_has_pages_and_none_finds_people_of_another_operator(
    api: httpx.AsyncClient, rival: httpx.AsyncClient, found_in: EditionHarness
) -> None:
    query: dict[str, Any] = {"organisation": found_in.organisations[0], "limit": 3}
    first = (await api.get(f"{found_in.path}/participants", params=query)).json()
    second = (await api.get(f"{found_in.path}/participants", params=query | {"after": first["next"]})).json()
    assert [len(first["items"]), len(second["items"]), second["next"]] == [3, 1, None]
    across = (await api.get("/participants", params=query)).json()
    assert (len(across["items"]), across["more"]) == (3, True)
    assert (await rival.get("/participants", params=query)).json() == {"items": [], "more": False}
    assert (await rival.get(f"{found_in.path}/participants", params=query)).status_code == 404


async def test_a_search_across_editions_names_a_property(api: httpx.AsyncClient) -> None:
    refused = (await api.get("/participants")).json()
    assert refused["errors"][0]["detail"] == "say what to look for: name, email, external_id or organisation"


@pytest.mark.parametrize(
    ("method", "path", "pointer", "words"),
    [
        ("GET", "/participants?e_mail=a@b.example", "/query/e_mail", "is email meant?"),
        ("GET", "/organisations?email=a@b.example", "/query/email", "it takes after, domain, external_id"),
        ("GET", "/match-requests?limit=5&limit=6", "/query/limit", "given twice"),
        ("GET", "?expand=all", "/query/expand", "it takes none"),
        ("GET", "/what-if?tabels=2", "/query/tabels", "is tables meant?"),
        ("POST", "/participants?dry_run=true", "/query/dry_run", "cannot be tried"),
        ("POST", "/imports/participants?dryrun=true", "/query/dryrun", "is dry_run meant?"),
        ("DELETE", "/zones/workspace?force=1", "/query/force", "it takes dry_run, token"),
    ],
)
async def test_a_parameter_that_an_endpoint_does_not_have_is_refused(
    api: httpx.AsyncClient, found_in: EditionHarness, method: str, path: str, pointer: str, words: str
) -> None:
    answer = await api.request(method, found_in.path + path)
    assert answer.status_code == 422
    fault = answer.json()["errors"][0]
    assert fault["pointer"] == pointer
    assert words in fault["detail"]


async def test_a_stranger_learns_of_the_key_first(stranger: httpx.AsyncClient) -> None:
    assert (await stranger.get("/participants?nonsense=1")).status_code == 401
