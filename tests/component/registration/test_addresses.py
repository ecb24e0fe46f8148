"""A new address of a participant: kept apart until its mailed link, or an organiser, confirms it."""

from __future__ import annotations

import dataclasses
from typing import Any

import httpx
import pytest

from services.registration.api.access import ApiContext
from services.registration.domain.edition import Edition
from services.registration.domain.participant import Participant
from services.registration.domain.pending_address import ADDRESS_LINK_LIFE
from services.registration.internal_clients import ServiceDeclined, ServiceUnavailable
from shared.contract.events import ParticipantChanged
from tests.support.registration_api import ANY_REVISION, Clock, EditionHarness, RegistrationHarness, client_of

NEW = "ana.nueva@x.example"
PAGE = "http://registration/confirm-address"


class Mailbox:
    """Holds the mails about addresses: implements `AddressMailer`."""

    def __init__(self) -> None:
        self.links: list[tuple[str, str]] = []
        self.told: list[str] = []
        self.refused: dict[str, Exception] = {}

    async def mail_confirmation(self, participant: Participant, edition: Edition, email: str, secret: str) -> None:
        if email in self.refused:
            raise self.refused[email]
        self.links.append((email, secret))

    async def tell_present_address(self, participant: Participant, edition: Edition) -> None:
        if participant.email in self.refused:
            raise self.refused[participant.email]
        self.told.append(participant.email)


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def context(context: ApiContext, mailbox: Mailbox) -> ApiContext:
    return dataclasses.replace(context, address_mailer=mailbox)


@pytest.fixture
def path(edition: EditionHarness) -> str:
    return f"{edition.path}/participants/{edition.participants[0]}"


async def asked(api: httpx.AsyncClient, path: str, email: str = NEW) -> dict[str, Any]:
    answer = await api.put(f"{path}/address", json={"email": email})
    assert answer.status_code == 200, answer.text
    participant: dict[str, Any] = answer.json()
    return participant


async def press(context: ApiContext, link: str) -> httpx.Response:
    async with client_of(context, None) as stranger:
        return await stranger.post(PAGE, data={"link": link})


async def email_of(api: httpx.AsyncClient, path: str) -> tuple[str, str | None]:
    """Return the present address and the pending address of a participant."""
    participant = (await api.get(path)).json()
    return participant["email"], (participant["pending_address"] or {}).get("email")


async def test_the_present_address_holds_until_the_button_of_the_link_is_pressed(
    api: httpx.AsyncClient, context: ApiContext, mailbox: Mailbox, path: str, registration: RegistrationHarness
) -> None:
    before = await asked(api, path)
    assert (before["email"], before["pending_address"]["email"], before["links"]) == ("a1@x.example", NEW, 0)
    assert (mailbox.told, [email for email, _ in mailbox.links]) == (["a1@x.example"], [NEW])
    link = mailbox.links[0][1]
    async with client_of(context, None) as scanner:
        opened = await scanner.get(PAGE, params={"link": link})
    assert (opened.status_code, "<button>" in opened.text, NEW in opened.text) == (200, True, False)
    assert await email_of(api, path) == ("a1@x.example", NEW)
    pressed = await press(context, link)
    assert (pressed.status_code, NEW in pressed.text) == (200, True)
    after = (await api.get(path)).json()
    assert (after["email"], after["pending_address"], after["links"], after["person"]) == (NEW, None, 1, 0)
    assert (await press(context, link)).status_code == 403
    *_, told = [event for event in await registration.published() if isinstance(event, ParticipantChanged)]
    assert (told.email, told.actor) == (NEW, f"participant:{after['participant_id']}")


async def test_no_event_holds_an_address_that_is_not_confirmed(
    api: httpx.AsyncClient, path: str, registration: RegistrationHarness
) -> None:
    await asked(api, path)
    events = [event.model_dump_json() for event in await registration.published()]
    assert events
    assert not [event for event in events if NEW in event]


async def test_another_link_ends_the_link_before_and_time_ends_both(
    api: httpx.AsyncClient, context: ApiContext, mailbox: Mailbox, path: str, clock: Clock
) -> None:
    await asked(api, path)
    await asked(api, path)
    first, second = (link for _, link in mailbox.links)
    assert (await press(context, first)).status_code == 403
    clock.now += ADDRESS_LINK_LIFE
    assert (await press(context, second)).status_code == 403
    await asked(api, path)
    assert (await press(context, mailbox.links[-1][1])).status_code == 200


async def test_an_organiser_withdraws_or_confirms_and_the_history_tells_it(
    api: httpx.AsyncClient, context: ApiContext, mailbox: Mailbox, path: str
) -> None:
    await asked(api, path)
    assert (await api.delete(f"{path}/address")).json()["pending_address"] is None
    assert (await press(context, mailbox.links[0][1])).status_code == 403
    assert (await api.post(f"{path}/address/confirmation")).status_code == 409
    await asked(api, path)
    confirmed = (await api.post(f"{path}/address/confirmation")).json()
    assert (confirmed["email"], confirmed["pending_address"]) == (NEW, None)
    history = (await api.get(f"{path}/history")).json()["items"]
    assert {"email", "pending_address"} <= {*max(history, key=lambda item: item["revision"])["changed"]}


@pytest.mark.parametrize("link", ["", "x", "a.b.c.d", "itecam...", "itecam.edn_1.prt_1.x", "é.ü.ñ.x", "a.b.c.d.e"])
async def test_a_text_that_is_no_link_confirms_nothing(context: ApiContext, link: str) -> None:
    refused = await press(context, link)
    assert (refused.status_code, "ask the organiser" in refused.text) == (403, True)


async def test_an_address_of_another_participant_is_refused_when_asked_and_when_confirmed(
    api: httpx.AsyncClient, context: ApiContext, mailbox: Mailbox, path: str, edition: EditionHarness
) -> None:
    taken = await api.put(f"{path}/address", json={"email": "B2@X.example"})
    assert (taken.status_code, edition.participants[3] in taken.json()["detail"]) == (409, True)
    assert mailbox.links == []
    await asked(api, path)
    there = f"{edition.path}/participants/{edition.participants[3]}"
    assert (await api.patch(there, json={"email": NEW}, headers=ANY_REVISION)).status_code == 200
    assert (await press(context, mailbox.links[0][1])).status_code == 409
    assert (await api.post(f"{path}/address/confirmation")).status_code == 409
    assert await email_of(api, path) == ("a1@x.example", NEW)


async def test_another_person_another_address_and_an_erasure_end_the_wait(
    api: httpx.AsyncClient, context: ApiContext, mailbox: Mailbox, path: str
) -> None:
    for change in ({"email": "ana.r@x.example"}, {"name": "Eva Sanz", "email": "eva@x.example"}):
        await asked(api, path)
        assert (await api.patch(path, json=change, headers=ANY_REVISION)).json()["pending_address"] is None
        assert (await press(context, mailbox.links[-1][1])).status_code == 403
    await asked(api, path)
    await api.post(f"{path}/erasure")
    assert (await press(context, mailbox.links[-1][1])).status_code == 403
    assert NEW not in (await api.get(path)).text
    assert (await api.put(f"{path}/address", json={"email": NEW})).status_code == 409


async def test_a_change_of_other_fields_keeps_the_wait(api: httpx.AsyncClient, path: str) -> None:
    await asked(api, path)
    await api.patch(path, json={"name": "P 1a, Dr.", "phone": "+34 926 111 111"}, headers=ANY_REVISION)
    assert await email_of(api, path) == ("a1@x.example", NEW)
    assert (await asked(api, path, "a1@x.example"))["pending_address"] is None


async def test_a_cancelled_participant_confirms_nothing(
    api: httpx.AsyncClient, context: ApiContext, mailbox: Mailbox, path: str
) -> None:
    await asked(api, path)
    await api.post(f"{path}/cancellation")
    assert (await press(context, mailbox.links[0][1])).status_code == 409
    assert (await api.put(f"{path}/address", json={"email": NEW})).status_code == 409


async def test_a_present_address_that_no_mail_reaches_is_no_obstacle_and_a_new_one_is(
    api: httpx.AsyncClient, mailbox: Mailbox, path: str
) -> None:
    declined = ServiceDeclined(422, "refused", "the mail server refuses the address", {})
    mailbox.refused = {"a1@x.example": declined}
    assert (await asked(api, path))["pending_address"]["email"] == NEW
    mailbox.refused = {NEW: declined}
    refused = await api.put(f"{path}/address", json={"email": NEW})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/email")
    assert await email_of(api, path) == ("a1@x.example", None)
    mailbox.refused = {NEW: ServiceUnavailable("notify does not answer")}
    assert (await api.put(f"{path}/address", json={"email": NEW})).status_code == 503
    assert await email_of(api, path) == ("a1@x.example", NEW)


async def test_an_installation_without_mails_says_so_and_keeps_nothing(
    registration: RegistrationHarness, path: str
) -> None:
    async with client_of(registration.context, "itecam") as api:
        refused = await api.put(f"{path}/address", json={"email": NEW})
        assert (refused.status_code, "TERTULIA_SIGN_IN_URL" in refused.json()["detail"]) == (503, True)
        assert await email_of(api, path) == ("a1@x.example", None)
