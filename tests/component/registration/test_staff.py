"""Staff accounts: made by owners, signed in by a mailed link, ended by a change, kept apart by operator."""

from __future__ import annotations

import dataclasses
from typing import Any

import httpx
import pytest

from services.registration.api.access import ApiContext
from services.registration.staff.accounts import LINK_LIFE, SESSION_LIFE, StaffMember
from services.registration.staff.use_cases import SignIn
from tests.support.registration_api import ANY_REVISION, Clock, EditionHarness, client_of

_EVA = {"email": "Eva@itecam.example", "name": "Eva Sanz", "role": "desk"}


class Mailbox:
    """Holds the mailed links: implements `LinkMailer`."""

    def __init__(self) -> None:
        self.mails: list[tuple[StaffMember, str]] = []

    async def mail_link(self, member: StaffMember, secret: str) -> None:
        self.mails.append((member, secret))


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def context(context: ApiContext, mailbox: Mailbox) -> ApiContext:
    assert context.staff is not None
    return dataclasses.replace(context, sign_in=SignIn(context.staff, mailbox, context.clock))


class Staff:
    """Calls of the API about staff."""

    def __init__(self, context: ApiContext, mailbox: Mailbox) -> None:
        self._context = context
        self._mailbox = mailbox

    async def ask(self, email: str, operator: str = "itecam") -> int:
        """Ask for a link; return the number of mails that were sent."""
        before = len(self._mailbox.mails)
        async with client_of(self._context, None) as stranger:
            asked = await stranger.post("/sign-in-links", json={"operator_id": operator, "email": email})
        assert (asked.status_code, asked.content) == (202, b"")
        assert self._context.sign_in is not None
        await self._context.sign_in.drain()
        return len(self._mailbox.mails) - before

    async def enter(self, link: str) -> httpx.Response:
        async with client_of(self._context, None) as stranger:
            return await stranger.post("/sessions", json={"link": link})

    async def signed_in(self, email: str = "eva@itecam.example") -> httpx.AsyncClient:
        assert await self.ask(email) == 1
        session = (await self.enter(self._mailbox.mails[-1][1])).json()["session"]
        client = client_of(self._context, None)
        client.headers["Authorization"] = f"Bearer {session}"
        return client


@pytest.fixture
def staff(context: ApiContext, mailbox: Mailbox) -> Staff:
    return Staff(context, mailbox)


async def made(api: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:
    answer = await api.post("/staff", json=_EVA | changes)
    assert answer.status_code == 201, answer.text
    created: dict[str, Any] = answer.json()
    return created


async def test_a_member_signs_in_once_by_a_mailed_link_and_has_the_rights_of_the_role(
    api: httpx.AsyncClient, staff: Staff, mailbox: Mailbox, edition: EditionHarness
) -> None:
    account = await made(api)
    eva = await staff.signed_in()
    rights = (await eva.get("/me")).json()
    assert (rights["actor"], rights["role"], rights["sees"]) == (f"staff:{account['staff_id']}", "desk", "names")
    assert (await eva.get(f"{edition.path}/participants")).status_code == 200
    assert (await eva.post(f"{edition.path}/cancellation")).status_code in (403, 404)
    assert (await eva.get("/staff")).status_code == 403
    assert (await staff.enter(mailbox.mails[-1][1])).status_code == 401  # used up


async def test_the_answer_does_not_tell_whether_there_is_an_account(api: httpx.AsyncClient, staff: Staff) -> None:
    account = await made(api)
    assert await staff.ask("nobody@itecam.example") == 0
    assert await staff.ask("eva@itecam.example", operator="rival") == 0
    assert await staff.ask("EVA@itecam.example") == 1
    await api.patch(f"/staff/{account['staff_id']}", json={"is_disabled": True}, headers=ANY_REVISION)
    assert await staff.ask("eva@itecam.example") == 0


async def test_a_link_ends_after_a_quarter_of_an_hour_and_with_the_next_link(
    api: httpx.AsyncClient, staff: Staff, mailbox: Mailbox, clock: Clock
) -> None:
    await made(api)
    await staff.ask("eva@itecam.example")
    await staff.ask("eva@itecam.example")
    assert (await staff.enter(mailbox.mails[0][1])).status_code == 401
    clock.now += LINK_LIFE
    refused = await staff.enter(mailbox.mails[1][1])
    assert (refused.status_code, "ask for a new one" in refused.json()["detail"]) == (401, True)


async def test_a_session_ends_by_its_time_by_signing_out_and_with_its_account(
    api: httpx.AsyncClient, staff: Staff, clock: Clock
) -> None:
    account = await made(api, role="organiser")
    eva, at_home = await staff.signed_in(), await staff.signed_in()
    assert (await eva.delete("/sessions/current")).status_code == 204
    assert (await eva.get("/me")).status_code == 401
    assert (await at_home.get("/me")).status_code == 200
    await api.patch(f"/staff/{account['staff_id']}", json={"is_disabled": True}, headers=ANY_REVISION)
    assert (await at_home.get("/me")).status_code == 401
    await api.patch(f"/staff/{account['staff_id']}", json={"is_disabled": False}, headers=ANY_REVISION)
    later = await staff.signed_in()
    clock.now += SESSION_LIFE
    assert (await later.get("/me")).status_code == 401


async def test_a_changed_role_holds_at_once(api: httpx.AsyncClient, staff: Staff, edition: EditionHarness) -> None:
    account = await made(api, role="viewer")
    eva = await staff.signed_in()
    people = f"{edition.path}/match-requests"
    assert (await eva.get(people)).status_code == 403
    await api.patch(f"/staff/{account['staff_id']}", json={"role": "organiser"}, headers=ANY_REVISION)
    assert (await eva.get(people)).status_code == 200


async def test_a_member_of_some_editions_sees_no_other(
    api: httpx.AsyncClient, staff: Staff, edition: EditionHarness
) -> None:
    other = await EditionHarness(api).set_up()
    await made(api, editions=[edition.edition_id])
    eva = await staff.signed_in()
    assert (await eva.get(edition.path)).status_code == 200
    assert (await eva.get(other.path)).status_code == 404
    refused = await api.post("/staff", json=_EVA | {"email": "x@itecam.example", "editions": ["edn_none"]})
    assert refused.json()["errors"][0]["pointer"] == "/editions/0"


async def test_accounts_are_unique_guarded_by_if_match_and_kept_apart(
    api: httpx.AsyncClient, rival: httpx.AsyncClient
) -> None:
    account = await made(api)
    path = f"/staff/{account['staff_id']}"
    assert (await api.post("/staff", json=_EVA | {"email": "EVA@itecam.example"})).status_code == 409
    assert (await rival.post("/staff", json=_EVA)).status_code == 201
    assert (await rival.get(path)).status_code == 404
    assert (await rival.patch(path, json={"role": "owner"}, headers=ANY_REVISION)).status_code == 404
    unguarded = await api.patch(path, json={"role": "owner"})
    assert (unguarded.status_code, unguarded.json()["type"]) == (428, "urn:tertulia:problem:if-match-required")
    assert (await api.patch(path, json={"role": "king"}, headers=ANY_REVISION)).status_code == 422
    changed = await api.patch(path, json={"role": "owner"}, headers={"If-Match": '"1"'})
    assert (changed.json()["role"], changed.headers["etag"]) == ("owner", '"2"')
    assert (await api.patch(path, json={"role": "desk"}, headers={"If-Match": '"1"'})).status_code == 412


async def test_who_asks_too_often_is_slowed(stranger: httpx.AsyncClient) -> None:
    body = {"operator_id": "itecam", "email": "eva@itecam.example"}
    answers = [(await stranger.post("/sign-in-links", json=body)).status_code for _ in range(30)]
    assert answers[:10] == [202] * 10
    assert answers[-1] == 429


async def test_nothing_in_the_database_opens_an_account(
    api: httpx.AsyncClient, staff: Staff, mailbox: Mailbox, context: ApiContext
) -> None:
    await made(api)
    eva = await staff.signed_in()
    assert context.staff is not None
    kept = str([context.staff._links._table.documents, context.staff._sessions._table.documents])
    assert mailbox.mails[-1][1] not in kept
    assert eva.headers["authorization"].rpartition(".")[2] not in kept


async def test_the_page_of_a_link_changes_nothing_until_its_button_is_pressed(
    api: httpx.AsyncClient, staff: Staff, mailbox: Mailbox, stranger: httpx.AsyncClient
) -> None:
    await made(api)
    await staff.ask("eva@itecam.example")
    link, page = mailbox.mails[-1][1], "http://registration/sign-in"
    for _ in range(3):  # link scanners
        shown = await stranger.get(page, params={"link": link})
        assert (shown.status_code, link in shown.text) == (200, True)
    hostile = await stranger.get(page, params={"link": '"><script>'})
    assert "<script>" not in hostile.text
    entered = await stranger.post(page, data={"link": link})
    assert (entered.status_code, "S1.itecam." in entered.text) == (200, True)
    again = await stranger.post(page, data={"link": link})
    assert (again.status_code, "ask for a new one" in again.text) == (403, True)


async def test_without_an_address_of_the_page_signing_in_is_unavailable(context: ApiContext) -> None:
    async with client_of(dataclasses.replace(context, sign_in=None), None) as stranger:
        body = {"operator_id": "itecam", "email": "eva@itecam.example"}
        refused = await stranger.post("/sign-in-links", json=body)
    assert (refused.status_code, "TERTULIA_SIGN_IN_URL" in refused.json()["detail"]) == (503, True)
