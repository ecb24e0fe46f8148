"""Each route names its action, and refuses principals without the right to it."""

from __future__ import annotations

import dataclasses

import httpx

from services.registration.api.access import ApiContext
from services.registration.api.rights import routes_without_action
from services.registration.app import make_api
from shared.access import Principal, PrincipalKind, Scope, StaffRole
from tests.support.registration_api import EditionHarness, client_of, participant_body


@dataclasses.dataclass
class AuthenticatedAs:
    """Finds the same principal behind any credential."""

    principal: Principal

    async def principal_of(self, presented: str, address: str = "") -> Principal:
        return self.principal

    def known_operator(self, presented: str) -> str | None:
        return None

    def early_refusal(self, address: str) -> Exception | None:
        return None


def test_every_route_names_its_action(context: ApiContext) -> None:
    assert [*routes_without_action(make_api(context))] == []


async def test_a_missing_right_is_named_in_plain_words(context: ApiContext, edition: EditionHarness) -> None:
    reader = Principal(PrincipalKind.KEY, "k1", "itecam", frozenset({Scope.READ}))
    async with client_of(dataclasses.replace(context, authenticator=AuthenticatedAs(reader)), None) as api:
        answer = await api.post(f"{edition.path}/participants", json=participant_body(edition.organisations[0]))
        assert answer.status_code == 403
        assert answer.json()["type"] == "urn:tertulia:problem:forbidden"
        assert "parties.register" in answer.json()["detail"]
        assert "`tertulia key add`" in answer.json()["detail"]
        assert (await api.get(f"{edition.path}/participants")).status_code == 200


async def test_rights_are_checked_before_the_body_and_the_entity(context: ApiContext, edition: EditionHarness) -> None:
    viewer = Principal(PrincipalKind.STAFF, "s1", "itecam", role=StaffRole.VIEWER)
    async with client_of(dataclasses.replace(context, authenticator=AuthenticatedAs(viewer)), None) as api:
        for path in (f"{edition.path}/participants/unknown", f"{edition.path}/participants/{edition.participants[0]}"):
            assert (await api.patch(path, content=b"{", headers={"If-Match": "*"})).status_code == 403


async def test_another_edition_looks_unknown_to_a_key_of_some_editions(
    context: ApiContext, edition: EditionHarness
) -> None:
    limited = Principal(PrincipalKind.KEY, "k1", "itecam", frozenset({Scope.OWNER}), editions=frozenset({"edn_other"}))
    async with client_of(dataclasses.replace(context, authenticator=AuthenticatedAs(limited)), None) as api:
        foreign, unknown = await api.get(edition.path), await api.get("/editions/unknown")
        assert foreign.status_code == unknown.status_code == 404
        assert foreign.json() | {"instance": ""} == unknown.json() | {"instance": ""}


async def test_a_search_across_editions_keeps_to_the_editions_of_its_key(
    context: ApiContext, api: httpx.AsyncClient, edition: EditionHarness
) -> None:
    second = await EditionHarness(api).set_up()
    limited = Principal(
        PrincipalKind.KEY, "k1", "itecam", frozenset({Scope.OWNER}), editions=frozenset({edition.edition_id})
    )
    async with client_of(dataclasses.replace(context, authenticator=AuthenticatedAs(limited)), None) as key:
        found = (await key.get("/participants?name=p")).json()["items"]
        assert {item["edition_id"] for item in found} == {edition.edition_id}
    everywhere = (await api.get("/participants?name=p")).json()["items"]
    assert {item["edition_id"] for item in everywhere} == {edition.edition_id, second.edition_id}


async def test_an_address_is_searched_for_only_by_a_principal_that_sees_addresses(context: ApiContext) -> None:
    helper = Principal(PrincipalKind.STAFF, "s1", "itecam", role=StaffRole.DESK)
    async with client_of(dataclasses.replace(context, authenticator=AuthenticatedAs(helper)), None) as api:
        assert (await api.get("/participants?email=a1@x.example")).status_code == 403
        assert (await api.get("/participants?name=p")).status_code == 200
