"""Forms of a participant: requests to registration, effects shown before them, and conflicts."""

from __future__ import annotations

import pytest

from shared.contract.events import ConsentRecord, ConsentSubject, Event
from tests.support.notify_stage import EVENTS, NOW, OPENING, QUARTER, everybody
from tests.support.portal_scene import participant, scheduled, whole_edition
from tests.support.portal_stage import PERSON, PortalStage, as_person, preview, token_in

OWN = "/v1/editions/edn_1/participants/prt_0"
STALE = (412, {"type": "urn:tertulia:problem:stale"})


def stage() -> PortalStage:
    made = PortalStage()
    made.time.now = OPENING - QUARTER
    made.registration.answers[("DRY", "/own")] = (200, preview())
    return made


async def test_another_time_is_asked_for_with_the_effects_that_were_shown() -> None:
    made = stage()
    async with made.open(*whole_edition()) as client:
        page = (await as_person(client).get("/agenda/enc_1")).text
        assert "moves from" in page
        assert "People who get a mail: 2" in page
        fields = {"token": token_in(page), "do": "later", "effects": "tok"}
        answer = await client.post("/agenda/enc_1", data=fields)
    assert answer.headers["location"] == "/agenda?said=done"
    assert made.registration.asked == [("PATCH", f"{OWN}/own", PERSON)]
    assert made.registration.bodies[-1]["available"][0]["starts_at"] == (OPENING + QUARTER).isoformat()


async def test_a_meeting_is_cancelled_by_the_answers_to_its_own_requests_only() -> None:
    made = stage()
    async with made.open(*whole_edition(), encounter_event()) as client:
        page = (await as_person(client).get("/agenda/enc_1")).text
        await client.post("/agenda/enc_1", data={"token": token_in(page), "do": "cancel"})
    assert made.registration.asked == [("POST", f"{OWN}/match-requests/req_done/retraction", PERSON)]


def encounter_event() -> Event:
    """The encounter of the agenda's first entry, by its id."""
    return scheduled(0, 0, 1).model_copy(update={"encounter_id": "enc_1"})


async def test_an_encounter_that_has_begun_or_is_of_others_cannot_be_left() -> None:
    made = stage()
    made.time.now = OPENING + QUARTER / 2
    async with made.open(*whole_edition()) as client:
        as_person(client)
        assert (await client.get("/agenda/enc_1")).status_code == 404
        assert (await client.get("/agenda/enc_34")).status_code == 404
        assert (await client.get("/agenda/enc_2")).status_code == 200


async def test_hours_that_move_a_meeting_are_shown_before_they_are_kept() -> None:
    made = stage()
    async with made.open(*whole_edition()) as client:
        page = (await as_person(client).get("/availability")).text
        fields = {"token": token_in(page), "slot": ["2", "3", "6"]}
        confirm = (await client.post("/availability", data=fields)).text
        assert made.registration.asked == []
        assert "Please confirm" in confirm
        kept = await client.post("/availability", data=fields | {"effects": "tok"})
        none_left = await client.post("/availability", data={"token": token_in(page)})
    assert kept.headers["location"] == "/availability?said=done"
    starts = [stay["starts_at"] for stay in made.registration.bodies[-1]["available"]]
    assert starts == [(OPENING + 2 * QUARTER).isoformat(), (OPENING + 6 * QUARTER).isoformat()]
    assert none_left.status_code == 409


async def test_a_profile_that_was_changed_elsewhere_is_not_overwritten() -> None:
    made = stage()
    made.registration.answers[("PATCH", "/own")] = STALE
    async with made.open(*whole_edition()) as client:
        page = (await as_person(client).get("/profile")).text
        fields = {"token": token_in(page), "revision": "1", "needs": "Glue\n\nPaint", "do": "save"}
        answer = await client.post("/profile", data=fields)
    assert answer.status_code == 409
    assert "changed elsewhere" in answer.text
    assert "Glue\nPaint" in answer.text
    assert made.registration.bodies[-1]["profile"]["needs"] == ["Glue", "Paint"]


async def test_suggestions_are_filled_in_and_nothing_is_kept() -> None:
    made = stage()
    helped = {"needs": ["Solvents"], "offers": [], "classes": [{"code": "nace:25.62"}], "kets": []}
    made.registration.answers[("POST", "/profile-help")] = (200, helped)
    async with made.open(*whole_edition()) as client:
        page = (await as_person(client).get("/profile")).text
        answer = await client.post("/profile", data={"token": token_in(page), "do": "suggest", "text": "paint"})
    assert "Solvents" in answer.text
    assert "nace:25.62" in answer.text
    assert [path for _, path, _ in made.registration.asked] == [f"{OWN}/profile-help"]


async def test_a_seat_is_taken_beside_the_own_seats() -> None:
    made = stage()
    made.registration.answers[("DRY", "/own")] = (200, preview(moved=0))
    async with made.open(*whole_edition()) as client:
        page = (await as_person(client).get("/sessions")).text
        assert "Full. Waiting: 0" in page
        await client.post("/sessions", data={"token": token_in(page), "session": "ses_full", "do": "join"})
    assert made.registration.bodies[-1]["session_ids"] == ["ses_4", "ses_full"]


async def test_people_are_named_to_others_only_if_they_agreed() -> None:
    listed = ConsentRecord(granted=True, at=NOW, text_version="1", text_sha256="0" * 64, by="key:k")
    agreed = participant(3, revision=2, name="Listed Person", consents={ConsentSubject.LISTED: listed})
    async with stage().open(*whole_edition(), agreed) as client:
        page = (await as_person(client).get("/people", params={"q": "metal"})).text
        blind = (await client.get("/people", params={"q": "person 4"})).text
    assert "Listed Person" in page
    assert "Person 4" not in page
    assert "Nobody fits" in blind


@pytest.mark.parametrize(
    ("request_", "named"),
    [
        (("prt_0", "prt_7", "requested"), False),
        (("prt_0", "prt_7", "declined"), False),
        (("prt_0", "prt_7", "withdrawn"), False),
        (("prt_0", "prt_7", "accepted"), True),
        (("prt_7", "prt_0", "requested"), True),
    ],
)
async def test_a_request_shows_the_name_of_who_asks_or_agreed(request_: tuple[str, str, str], named: bool) -> None:
    requester, target, state = request_
    request = EVENTS.request("req_x", requester, target, state=state)
    person = participant(7, revision=2, name="Unlisted Person")
    async with stage().open(*whole_edition(), person, request) as client:
        page = (await as_person(client).get("/requests")).text
    assert ("Unlisted Person" in page) is named


@pytest.mark.parametrize("target", ["prt_0", "prt_nobody", "prt_2"])
async def test_only_strangers_who_are_not_kept_apart_can_be_asked(target: str) -> None:
    made = stage()
    apart = participant(2, revision=2, blocked_ids=("prt_0",))
    async with made.open(*whole_edition(), apart) as client:
        token = token_in((await as_person(client).get("/people")).text)
        assert (await client.post(f"/people/{target}", data={"token": token})).status_code == 404
        assert (await client.post("/people/prt_4", data={"token": token})).headers["location"] == "/requests?said=asked"
    assert [path for _, path, _ in made.registration.asked] == [f"{OWN}/match-requests"]


async def test_recommended_people_have_the_reason_that_registration_tells() -> None:
    made = stage()
    found = {"items": [{"participant_id": "prt_7"}], "told": {"prt_7": "They offer sheet metal."}}
    made.registration.answers[("GET", "/candidates")] = (200, found)
    async with made.open(*whole_edition()) as client:
        page = (await as_person(client).get("/people")).text
    assert "They offer sheet metal." in page


async def test_without_an_edition_s_times_the_pages_say_so() -> None:
    async with stage().open(*everybody()) as client:
        assert "not known yet" in (await as_person(client).get("/availability")).text
        assert "no sessions" in (await client.get("/sessions")).text
