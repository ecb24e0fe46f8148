"""Cancelled participants and organisations that come back, and names and addresses that the cancelled give up."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from tests.support.registration_api import (
    ANY_REVISION,
    EditionHarness,
    RegistrationHarness,
    organisation_body,
    participant_body,
)

CSV = {"content-type": "text/csv"}
TALK = {
    "session_id": "talk",
    "kind": "panel",
    "title": "Talk",
    "zone_id": "hall",
    "starts_at": "2026-11-26T09:00",
    "ends_at": "2026-11-26T09:30",
    "capacity": 1,
}


class Desk:
    """Cancels and reinstates the parties of an edition, and reads them."""

    def __init__(self, api: httpx.AsyncClient, edition: EditionHarness) -> None:
        self.api, self.edition = api, edition

    def participant(self, number: int) -> str:
        return f"{self.edition.path}/participants/{self.edition.participants[number]}"

    def organisation(self, number: int) -> str:
        return f"{self.edition.path}/organisations/{self.edition.organisations[number]}"

    async def cancel(self, path: str) -> None:
        assert (await self.api.post(f"{path}/cancellation")).is_success

    async def reinstate(self, path: str) -> httpx.Response:
        return await self.api.post(f"{path}/reinstatement")

    async def read(self, path: str) -> dict[str, Any]:
        found: dict[str, Any] = (await self.api.get(path)).json()
        return found

    async def statuses(self) -> list[str]:
        found = [await self.read(self.participant(number)) for number in range(4)]
        return [participant["status"] for participant in found]

    async def import_file(self, kind: str, *lines: str) -> dict[str, Any]:
        answer = await self.api.post(f"{self.edition.path}/imports/{kind}", content="\n".join(lines), headers=CSV)
        assert answer.is_success, answer.text
        report: dict[str, Any] = answer.json()
        return report


@pytest.fixture
def desk(api: httpx.AsyncClient, edition: EditionHarness) -> Desk:
    return Desk(api, edition)


async def test_a_cancelled_participant_comes_back_as_before(desk: Desk, registration: RegistrationHarness) -> None:
    path = desk.participant(0)
    before = await desk.read(path)
    await desk.cancel(path)
    back = await desk.reinstate(path)
    assert (back.status_code, back.json()["warnings"], back.headers["etag"]) == (200, [], '"3"')
    moving = {"revision", "changed_at"}
    after = await desk.read(path)
    assert {k: v for k, v in after.items() if k not in moving} == {k: v for k, v in before.items() if k not in moving}
    count = len(await registration.published())
    assert (await desk.reinstate(path)).json()["revision"] == 3
    assert len(await registration.published()) == count


async def test_the_requests_of_a_reinstated_participant_stay(desk: Desk) -> None:
    request = await desk.edition.request(0, 2)
    await desk.cancel(desk.participant(0))
    await desk.reinstate(desk.participant(0))
    accepted = await desk.api.post(f"{desk.edition.path}/match-requests/{request['request_id']}/acceptance")
    assert accepted.json()["state"] == "accepted"


async def test_a_participant_does_not_come_back_without_the_organisation(desk: Desk) -> None:
    await desk.cancel(desk.organisation(0))
    refused = await desk.reinstate(desk.participant(0))
    assert refused.status_code == 409
    assert desk.edition.organisations[0] in refused.json()["detail"]


async def test_an_organisation_comes_back_with_the_participants_cancelled_with_it(desk: Desk) -> None:
    await desk.cancel(desk.participant(1))
    await desk.cancel(desk.organisation(0))
    assert await desk.statuses() == ["cancelled", "cancelled", "active", "active"]
    back = await desk.reinstate(desk.organisation(0))
    assert (back.status_code, back.json()["status"], back.json()["warnings"]) == (200, "active", [])
    assert await desk.statuses() == ["active", "cancelled", "active", "active"]


@pytest.mark.parametrize("kind", ["participant", "organisation"])
async def test_nobody_comes_back_to_a_closed_edition_or_another_operator_s(
    desk: Desk, rival: httpx.AsyncClient, kind: str
) -> None:
    path = desk.participant(0) if kind == "participant" else desk.organisation(0)
    await desk.cancel(path)
    assert (await rival.post(f"{path}/reinstatement")).status_code == 404
    assert (await desk.reinstate(path + "x")).status_code == 404
    await desk.edition.patch({"phase": "closed"})
    assert (await desk.reinstate(path)).status_code == 409


async def test_the_address_of_a_cancelled_participant_may_be_used_again(desk: Desk) -> None:
    await desk.cancel(desk.participant(0))
    body = participant_body(desk.edition.organisations[1], email="A1@x.example")
    new = await desk.api.post(f"{desk.edition.path}/participants", json=body)
    assert new.status_code == 201, new.text
    refused = await desk.reinstate(desk.participant(0))
    assert (refused.status_code, new.json()["participant_id"] in refused.json()["detail"]) == (409, True)
    await desk.cancel(f"{desk.edition.path}/participants/{new.json()['participant_id']}")
    assert (await desk.reinstate(desk.participant(0))).json()["status"] == "active"


async def test_a_registration_in_place_of_a_cancelled_one_says_how_to_have_that_back(desk: Desk) -> None:
    before, path = desk.edition.participants[0], desk.participant(0)
    await desk.cancel(path)
    body = participant_body(desk.edition.organisations[0], name="P 1a", email="a1@x.example")
    new = await desk.api.post(f"{desk.edition.path}/participants", json=body)
    assert [(doubt["slug"], doubt["value"]) for doubt in new.json()["warnings"]] == [("registered-before", before)]
    assert f"reinstate {before}" in new.json()["warnings"][0]["message"]
    await desk.cancel(f"{desk.edition.path}/participants/{new.json()['participant_id']}")
    assert (await desk.reinstate(path)).is_success


async def test_a_status_in_a_body_is_refused_with_the_routes_that_set_it(desk: Desk) -> None:
    refused = await desk.api.patch(desk.participant(0), json={"status": "cancelled"}, headers=ANY_REVISION)
    assert (refused.status_code, "/reinstatement" in refused.json()["detail"]) == (422, True)


async def test_a_change_may_take_the_address_or_name_of_the_cancelled(desk: Desk) -> None:
    await desk.cancel(desk.organisation(0))
    answer = await desk.api.patch(desk.participant(2), json={"email": "a1@x.example"}, headers=ANY_REVISION)
    assert answer.is_success, answer.text
    named = await desk.api.post(f"{desk.edition.path}/organisations", json=organisation_body(name="Empresa 1"))
    assert named.status_code == 201, named.text
    refused = await desk.reinstate(desk.organisation(0))
    assert (refused.status_code, named.json()["organisation_id"] in refused.json()["detail"]) == (409, True)


async def test_an_organisation_comes_back_without_a_participant_whose_address_is_taken(desk: Desk) -> None:
    await desk.cancel(desk.organisation(0))
    await desk.api.patch(desk.participant(2), json={"email": "a1@x.example"}, headers=ANY_REVISION)
    [warning] = (await desk.reinstate(desk.organisation(0))).json()["warnings"]
    assert warning["pointer"] == f"/participants/{desk.edition.participants[0]}"
    assert desk.edition.participants[2] in warning["detail"]
    assert await desk.statuses() == ["cancelled", "active", "active", "active"]


async def test_a_repeated_registration_returns_the_cancelled_participant(desk: Desk) -> None:
    body, key = participant_body(desk.edition.organisations[0]), {"Idempotency-Key": "k"}
    first = (await desk.api.post(f"{desk.edition.path}/participants", json=body, headers=key)).json()
    await desk.cancel(f"{desk.edition.path}/participants/{first['participant_id']}")
    again = (await desk.api.post(f"{desk.edition.path}/participants", json=body, headers=key)).json()
    assert (again["participant_id"], again["status"]) == (first["participant_id"], "cancelled")


async def test_only_one_of_many_gets_the_address_of_a_cancelled_participant(desk: Desk) -> None:
    await desk.cancel(desk.participant(0))
    body = participant_body(desk.edition.organisations[1], email="a1@x.example")
    registrations = [desk.api.post(f"{desk.edition.path}/participants", json=body) for _ in range(5)]
    answers = await asyncio.gather(*registrations, desk.reinstate(desk.participant(0)))
    assert sorted(answer.is_success for answer in answers) == [False] * 5 + [True]
    assert {answer.status_code for answer in answers if not answer.is_success} == {409}


async def test_a_free_seat_is_given_back_and_a_full_session_is_a_warning(desk: Desk) -> None:
    await desk.edition.patch({"sessions": [TALK]})
    for number in (0, 1):
        await desk.api.put(f"{desk.participant(number)}/sessions/talk")
    assert (await desk.read(desk.participant(1)))["session_ids"] == []
    await desk.api.delete(f"{desk.participant(1)}/sessions/talk")  # else participant 1 gets the freed seat
    await desk.cancel(desk.participant(0))
    back = (await desk.reinstate(desk.participant(0))).json()
    assert (back["session_ids"], back["seats"], back["warnings"]) == (["talk"], {"talk": 1}, [])
    await desk.cancel(desk.participant(0))
    assert (await desk.api.put(f"{desk.participant(1)}/sessions/talk")).is_success
    back = (await desk.reinstate(desk.participant(0))).json()
    assert (back["status"], back["session_ids"], back["seats"]) == ("active", [], {})
    assert back["warnings"][0]["pointer"] == "/session_ids/0"
    assert "full (1 of 1)" in back["warnings"][0]["detail"]


async def test_the_old_seat_does_not_come_back_once_others_may_have_it(desk: Desk) -> None:
    await desk.edition.patch({"sessions": [TALK]})
    await desk.api.put(f"{desk.participant(0)}/sessions/talk")
    await desk.cancel(desk.participant(0))
    await desk.api.put(f"{desk.participant(1)}/sessions/talk")
    await desk.edition.patch({"sessions": [TALK | {"capacity": None}]})
    back = await desk.reinstate(desk.participant(0))
    assert (back.status_code, back.json()["session_ids"], back.json()["seats"]) == (200, ["talk"], {})


async def test_a_row_of_a_cancelled_participant_reinstates_it(desk: Desk) -> None:
    header = "organisation,name,email,languages"
    row = "Empresa 1,P 1a,a1@x.example,es"
    assert (await desk.import_file("participants", header, row))["reinstated"] == 0
    await desk.cancel(desk.participant(0))
    report = await desk.import_file("participants", header, row)
    assert (report["reinstated"], report["created"], report["unchanged"], report["warnings"]) == (1, 0, 0, [])
    assert await desk.statuses() == ["active"] * 4
    assert (await desk.import_file("participants", header, row))["unchanged"] == 1


async def test_a_reinstating_row_changes_the_fields_of_its_columns(desk: Desk) -> None:
    await desk.edition.patch({"sessions": [TALK]})
    await desk.api.put(f"{desk.participant(1)}/sessions/talk")
    await desk.cancel(desk.participant(0))
    report = await desk.import_file(
        "participants", "organisation,name,email,languages,sessions", "Empresa 1,Eva,a1@x.example,es,talk"
    )
    assert (report["reinstated"], report["rejected_rows"]) == (1, 0)
    assert [(warning["line"], warning["column"]) for warning in report["warnings"]] == [(2, "sessions")]
    back = await desk.read(desk.participant(0))
    assert (back["name"], back["status"], back["session_ids"]) == ("Eva", "active", [])


async def test_a_row_of_a_cancelled_organisation_reinstates_it_with_its_participants(desk: Desk) -> None:
    await desk.cancel(desk.organisation(0))
    report = await desk.import_file("organisations", "name,kind,country", "EMPRESA 1,sme,ES")
    assert (report["reinstated"], report["changed"]) == (1, 0)
    assert await desk.statuses() == ["active"] * 4


async def test_a_row_whose_address_was_taken_meanwhile_is_of_its_new_owner(desk: Desk) -> None:
    await desk.cancel(desk.participant(0))
    await desk.api.patch(desk.participant(2), json={"email": "a1@x.example"}, headers=ANY_REVISION)
    report = await desk.import_file(
        "participants", "organisation,name,email,languages", "Empresa 2,P 2a,a1@x.example,es"
    )
    assert (report["reinstated"], report["unchanged"]) == (0, 1)
