"""A participant's link as a credential: one's own data, until it is revoked, replaced, erased or out of date."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest

from services.registration.api.access import ApiContext
from services.registration.settings import Settings
from shared.contract.links import Link, LinkPurpose, LinkSigner
from tests.support.registration_api import ANY_REVISION, NO_RATES, Clock, EditionHarness, client_of

_SECRET = "a secret of at least thirty-two characters"
Visitor = Callable[..., httpx.AsyncClient]


@pytest.fixture
def settings() -> Settings:
    return Settings(**NO_RATES, link_secret=_SECRET, link_days=30)


@pytest.fixture
def visitor(context: ApiContext, edition: EditionHarness) -> Visitor:
    """Return a client that presents the link of the edition's first participant."""

    def client(secret: str = _SECRET, **changes: object) -> httpx.AsyncClient:
        fields = {
            "purpose": LinkPurpose.PAGE,
            "operator_id": "itecam",
            "edition_id": edition.edition_id,
            "participant_id": edition.participants[0],
            "links": 0,
            "person": "0",
        }
        made = client_of(context, None)
        made.headers["Authorization"] = f"Bearer {LinkSigner(secret).sign(Link.model_validate(fields | changes))}"
        return made

    return client


async def test_a_link_opens_the_own_data_and_nothing_else(visitor: Visitor, edition: EditionHarness) -> None:
    own, other = (f"{edition.path}/participants/{participant}" for participant in edition.participants[:2])
    ana = visitor()
    assert (await ana.get(own)).json()["email"] == "a1@x.example"
    assert (await ana.get(other)).status_code == 404
    rights = (await ana.get("/me")).json()
    assert (rights["kind"], rights["actor"]) == ("participant", f"participant:{edition.participants[0]}")
    for path in (f"{edition.path}/participants", f"{edition.path}/match-requests", "/keys", "/staff", "/editions"):
        assert (await ana.get(path)).status_code in (403, 404), path
    assert (await ana.patch(own, json={"name": "X"}, headers=ANY_REVISION)).status_code == 403


@pytest.mark.parametrize(
    "changes",
    [
        {"secret": "another secret of thirty-two characters"},
        {"purpose": LinkPurpose.FEED},
        {"operator_id": "rival"},
        {"participant_id": "prt_none"},
        {"links": 1},
    ],
)
async def test_links_of_another_kind_or_content_open_nothing(visitor: Visitor, changes: dict[str, object]) -> None:
    refused = await visitor(**changes).get("/me")
    assert (refused.status_code, "newest mail" in refused.json()["detail"]) == (401, True)


async def test_a_link_ends_with_its_revocation(
    visitor: Visitor, api: httpx.AsyncClient, edition: EditionHarness
) -> None:
    path = f"{edition.path}/participants/{edition.participants[0]}"
    assert (await api.post(f"{path}/links/revocation")).is_success
    assert (await visitor().get(path)).status_code == 401
    assert (await visitor(links=1).get(path)).status_code == 200


async def test_a_link_ends_with_the_person(visitor: Visitor, api: httpx.AsyncClient, edition: EditionHarness) -> None:
    path = f"{edition.path}/participants/{edition.participants[0]}"
    body = {"name": "Somebody Else", "email": "else@x.example"}
    assert (await api.patch(path, json=body, headers=ANY_REVISION)).is_success
    assert (await visitor().get(path)).status_code == 401


async def test_a_link_ends_some_time_after_the_edition(visitor: Visitor, clock: Clock, edition: EditionHarness) -> None:
    expires_at = (await visitor().get("/me")).json()["expires_at"]
    clock.now += timedelta(days=365 * 10)
    assert (await visitor().get("/me")).status_code == 401
    assert expires_at is not None


async def test_without_the_secret_no_link_opens_anything(visitor: Visitor, context: ApiContext) -> None:
    assert (await visitor(secret="").get("/me")).status_code == 401


async def test_a_link_answers_the_requests_that_were_put_to_its_participant(
    visitor: Visitor, edition: EditionHarness
) -> None:
    me, other, third = edition.participants[:3]
    mine = f"{edition.path}/participants/{me}/match-requests"
    requests = f"{edition.path}/match-requests"
    put_to_me = (await edition.post(requests, {"requester_id": third, "target_id": me}))["request_id"]
    between_others = await edition.post(requests, {"requester_id": third, "target_id": other})
    ana = visitor()
    accepted = await ana.post(f"{mine}/{put_to_me}/acceptance")
    assert (accepted.status_code, accepted.json()["state"]) == (200, "accepted")
    assert (await ana.post(f"{mine}/{put_to_me}/withdrawal")).status_code == 404
    assert (await ana.post(f"{mine}/{between_others['request_id']}/acceptance")).status_code == 404
    theirs = f"{edition.path}/participants/{other}/match-requests/{between_others['request_id']}/acceptance"
    assert (await ana.post(theirs)).status_code == 404
    assert (await ana.post(f"{edition.path}/match-requests/{put_to_me}/refusal")).status_code == 403


async def test_a_link_asks_and_withdraws_as_its_participant(visitor: Visitor, edition: EditionHarness) -> None:
    me, _, other = edition.participants[:3]
    mine = f"{edition.path}/participants/{me}/match-requests"
    ana = visitor()
    asked = await ana.post(mine, json={"target_id": other, "priority": 3})
    assert (asked.status_code, asked.json()["requester_id"], asked.json()["state"]) == (201, me, "requested")
    assert (await ana.post(mine, json={"target_id": other, "requester_id": other})).status_code == 422
    assert (await ana.post(mine, json={"target_id": me})).status_code == 422
    withdrawn = await ana.post(f"{mine}/{asked.json()['request_id']}/withdrawal")
    assert withdrawn.json()["state"] == "withdrawn"
