"""Each route names its action, and refuses principals without the right to it."""

from __future__ import annotations

import httpx

from services.registration.api.access import ApiContext
from services.registration.api.rights import action_of, is_open_to_all, operations_of
from services.registration.app import make_api
from shared.access import Scope, StaffRole
from tests.support.principals import client_as, key_principal, staff_principal
from tests.support.registration_api import EditionHarness, participant_body


def test_every_route_names_its_action(context: ApiContext) -> None:
    app = make_api(context)
    routes = {(method.lower(), path): route for method, path, route in operations_of(app)}
    documented = {(method, path) for path, methods in app.openapi()["paths"].items() for method in methods}
    assert routes.keys() == documented
    unnamed = {operation for operation, route in routes.items() if action_of(route) is None}
    assert unnamed == {operation for operation, route in routes.items() if is_open_to_all(route)}
    assert unnamed == {("post", "/v1/sign-in-links"), ("post", "/v1/sessions")}


async def test_a_missing_right_is_named_in_plain_words(context: ApiContext, edition: EditionHarness) -> None:
    reader = key_principal(Scope.READ)
    async with client_as(context, reader) as api:
        answer = await api.post(f"{edition.path}/participants", json=participant_body(edition.organisations[0]))
        assert answer.status_code == 403
        assert answer.json()["type"] == "urn:tertulia:problem:forbidden"
        assert "parties.register" in answer.json()["detail"]
        assert "`tertulia key add`" in answer.json()["detail"]
        assert (await api.get(f"{edition.path}/participants")).status_code == 200


async def test_rights_are_checked_before_the_body_and_the_entity(context: ApiContext, edition: EditionHarness) -> None:
    viewer = staff_principal(StaffRole.VIEWER)
    async with client_as(context, viewer) as api:
        for path in (f"{edition.path}/participants/unknown", f"{edition.path}/participants/{edition.participants[0]}"):
            assert (await api.patch(path, content=b"{", headers={"If-Match": "*"})).status_code == 403


async def test_another_edition_looks_unknown_to_a_key_of_some_editions(
    context: ApiContext, edition: EditionHarness
) -> None:
    limited = key_principal(Scope.OWNER, editions=frozenset({"edn_other"}))
    async with client_as(context, limited) as api:
        foreign, unknown = await api.get(edition.path), await api.get("/editions/unknown")
        assert foreign.status_code == unknown.status_code == 404
        assert foreign.json() | {"instance": ""} == unknown.json() | {"instance": ""}


async def test_a_search_across_editions_keeps_to_the_editions_of_its_key(
    context: ApiContext, api: httpx.AsyncClient, edition: EditionHarness
) -> None:
    second = await EditionHarness(api).set_up()
    limited = key_principal(Scope.OWNER, editions=frozenset({edition.edition_id}))
    async with client_as(context, limited) as key:
        found = (await key.get("/participants?name=p")).json()["items"]
        assert {item["edition_id"] for item in found} == {edition.edition_id}
    everywhere = (await api.get("/participants?name=p")).json()["items"]
    assert {item["edition_id"] for item in everywhere} == {edition.edition_id, second.edition_id}


async def test_an_address_is_searched_for_only_by_a_principal_that_sees_addresses(context: ApiContext) -> None:
    helper = staff_principal(StaffRole.DESK)
    async with client_as(context, helper) as api:
        assert (await api.get("/participants?email=a1@x.example")).status_code == 403
        assert (await api.get("/participants?name=p")).status_code == 200
