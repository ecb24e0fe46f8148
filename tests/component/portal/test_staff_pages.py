"""Forms of staff: the effects are shown before a change, which then goes to registration as the member of staff."""

from __future__ import annotations

import httpx
import pytest

from services.portal.domain.late import days_with_pause
from tests.support.notify_stage import OPENING, QUARTER
from tests.support.portal_scene import DURING, EDITION_AS_REGISTERED, participant, whole_edition
from tests.support.portal_stage import DESK, ORGANISER, PortalStage, as_staff, preview, token_in

API, PAGES = "/v1/editions/edn_1", "/editions/edn_1"
FORMS = [
    ("/encounters/enc_05", {"do": "place", "place": "6@zn_work"}, "POST", "/agenda/edits"),
    ("/encounters/enc_01", {"do": "lock"}, "POST", "/agenda/edits"),
    ("/undo-edit", {}, "POST", "/agenda/edits"),
    ("/people/prt_1", {"do": "save", "name": "Ana", "language": "de", "revision": "1"}, "PATCH", "/participants/prt_1"),
    ("/people/prt_1", {"do": "cancel"}, "POST", "/participants/prt_1/cancellation"),
    ("/requests/req_in", {"do": "accept"}, "POST", "/match-requests/req_in/acceptance"),
    ("/setup", {"do": "save", "name": "New", "revision": "2", "slot_minutes": "20"}, "PATCH", ""),
    ("/log/amd_1", {}, "POST", "/amendments/amd_1/undo"),
    ("/late", {"minutes": "10"}, "PATCH", ""),
]


def stage() -> PortalStage:
    made = PortalStage()
    made.time.now = DURING
    made.registration.answers = {
        ("DRY", ""): (200, preview()),
        ("GET", "/editions/edn_1"): (200, EDITION_AS_REGISTERED),
    }
    return made


async def signed_in(client: httpx.AsyncClient, credential: str = ORGANISER) -> str:
    return token_in((await as_staff(client, credential).get(f"{PAGES}/desk")).text)


@pytest.mark.parametrize(("page", "fields", "method", "path"), FORMS)
async def test_a_change_is_made_once_its_effects_were_shown(
    page: str, fields: dict[str, str], method: str, path: str
) -> None:
    made = stage()
    async with made.open(*whole_edition()) as client:
        asked = {"token": await signed_in(client), **fields}
        shown = await client.post(f"{PAGES}{page}", data=asked)
        assert "moves from" in shown.text
        assert made.registration.asked == []
        done = await client.post(f"{PAGES}{page}", data=asked | {"effects": "tok"})
    assert done.status_code == 303, done.text
    assert made.registration.asked == [(method, f"{API}{path}", ORGANISER)]


@pytest.mark.parametrize(("page", "fields", "method", "path"), FORMS)
async def test_the_desk_makes_no_change_of_an_organiser(
    page: str, fields: dict[str, str], method: str, path: str
) -> None:
    made = stage()
    async with made.open(*whole_edition()) as client:
        token = await signed_in(client, DESK)
        answer = await client.post(f"{PAGES}{page}", data={"token": token, **fields, "effects": "tok"})
    assert answer.status_code == 404
    assert made.registration.asked == []


async def test_a_change_with_other_effects_is_shown_again() -> None:
    made = stage()
    made.registration.answers[("POST", "/cancellation")] = (412, {"type": "urn:tertulia:problem:preview-stale"})
    async with made.open(*whole_edition()) as client:
        fields = {"token": await signed_in(client), "do": "cancel", "effects": "old"}
        answer = await client.post(f"{PAGES}/people/prt_1", data=fields)
    assert "meanwhile something else has changed" in answer.text
    assert 'name="effects" value="tok"' in answer.text


async def test_a_refused_edit_says_why() -> None:
    made = stage()
    refused = {"errors": [{"detail": "the table is taken"}]}
    made.registration.answers = {("DRY", "/agenda/edits"): (422, refused)}
    async with made.open(*whole_edition()) as client:
        fields = {"token": await signed_in(client), "do": "lock"}
        answer = await client.post(f"{PAGES}/encounters/enc_01", data=fields)
    assert answer.status_code == 409
    assert "the table is taken" in answer.text


async def test_a_walk_in_of_a_known_organisation_is_registered_and_checked_in() -> None:
    made = stage()
    made.registration.answers = {
        ("POST", "/organisations"): (201, {"organisation_id": "org_new"}),
        ("POST", "/participants"): (201, {"participant_id": "prt_new"}),
    }
    fields = {"name": "Eva", "email": "eva@x.example", "language": "es", "kind": "sme", "country": "es"}
    async with made.open(*whole_edition()) as client:
        fields["token"] = await signed_in(client, DESK)
        assert (await client.get(f"{PAGES}/desk/new")).status_code == 200
        await client.post(f"{PAGES}/desk/new", data=fields | {"organisation": "METAL  3"})
        assert [path for _, path, _ in made.registration.asked] == [
            f"{API}/participants",
            f"{API}/participants/prt_new/check-in",
        ]
        await client.post(f"{PAGES}/desk/new", data=fields | {"organisation": "Unknown"})
    assert made.registration.asked[2][1] == f"{API}/organisations"


async def test_a_no_show_is_reported_by_the_desk() -> None:
    made = stage()
    async with made.open(*whole_edition()) as client:
        fields = {"token": await signed_in(client, DESK), "absent": "prt_1"}
        assert "Missing: Person 1" in (await client.get(f"{PAGES}/desk/now")).text
        await client.post(f"{PAGES}/attendance/enc_01", data=fields)
    assert made.registration.asked == [("POST", f"{API}/encounters/enc_01/attendance", DESK)]
    assert made.registration.bodies[-1] == {"outcome": "missed", "absent": ["prt_1"]}


async def test_a_badge_holds_no_personal_data_but_what_is_printed() -> None:
    hidden = participant(1, revision=2, email="secret@x.example", phone="+34 600")
    async with stage().open(*whole_edition(), hidden) as client:
        await signed_in(client, DESK)
        page = (await client.get(f"{PAGES}/print/badges", params={"q": "person 1"})).text
        opened = (await client.get(f"{PAGES}/desk", params={"q": "prt_1"})).text
    assert "<svg" in page
    assert "secret" not in page
    assert "Person 1" in opened


def test_a_late_day_pauses_before_the_next_slot_and_ends_later() -> None:
    session = {"session_id": "s", "starts_at": "2026-11-26T09:30:00Z", "ends_at": "2026-11-26T09:45:00Z"}
    earlier = session | {"starts_at": "2026-11-26T08:00:00Z", "ends_at": "2026-11-26T08:15:00Z"}
    edition = EDITION_AS_REGISTERED | {"sessions": [earlier, session]}
    starts = (OPENING + QUARTER).replace(tzinfo=None).replace(hour=9)
    patch = days_with_pause(edition, starts, QUARTER)
    assert patch is not None
    assert patch["days"][0]["ends"] == "11:15:00"
    assert patch["days"][0]["breaks"] == [{"starts": "09:15:00", "ends": "09:30:00"}]
    assert patch["sessions"][0] == earlier
    assert patch["sessions"][1]["starts_at"] == "2026-11-26T09:45:00+00:00"
    assert days_with_pause(edition, starts.replace(day=27), QUARTER) is None
