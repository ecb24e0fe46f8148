"""Pages of the portal: the right content for the right person, and forms that go to registration as that person."""

from __future__ import annotations

import pytest
from prometheus_client import generate_latest

from services.portal.pages.context import PERSON_COOKIE, STAFF_COOKIE
from shared.contract.events import EncounterChanged, Event, Slot
from shared.runtime.metrics import HTTP_SECONDS
from tests.support.metrics import MetricDelta
from tests.support.notify_stage import (
    COMMON,
    EVENTS,
    OPENING,
    QUARTER,
    agenda,
    edition,
    encounter,
    everybody,
    participant,
)
from tests.support.portal_stage import DESK, PERSON, PortalStage, as_person, as_staff, token_in

SLOTS = tuple(
    Slot(index=index, starts_at=OPENING + index * QUARTER, ends_at=OPENING + (index + 1) * QUARTER)
    for index in range(4)
)


def scheduled(slot: int, first: int, second: int, table: str = "1") -> EncounterChanged:
    place = {**SLOTS[slot].model_dump(exclude={"index"}), "slot": slot, "zone_id": "zn_work", "table": table}
    return EncounterChanged(
        **COMMON,
        revision=1,
        encounter_id=f"enc_{first}{second}",
        state="scheduled",
        participant_ids=(f"prt_{first}", f"prt_{second}"),
        organisation_ids=(f"org_{first}", f"org_{second}"),
        affinity=0.5,
        place=place,
        cause={"code": "pair_granted", "subject_id": "req"},
    )


def published() -> list[Event]:
    return [*everybody(), edition(2, slots=SLOTS), agenda(1, encounter(0, 1))]


async def test_a_link_of_a_mail_signs_in_and_opens_the_agenda() -> None:
    async with PortalStage().open(*published()) as client:
        entered = await client.get(f"/p/{PERSON}")
        assert (entered.status_code, entered.headers["location"]) == (303, "/agenda")
        cookie = entered.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=lax" in cookie
        page = (await client.get("/agenda")).text
    assert "Metal 1" in page
    assert "Person 1" in page
    assert "09:00" in page


async def test_cookies_are_for_tls_alone_unless_the_address_is_plain_http() -> None:
    async with PortalStage(portal_url="https://meet.example.org").open(*published()) as client:
        assert "secure" in (await client.get(f"/p/{PERSON}")).headers["set-cookie"].lower()


@pytest.mark.parametrize(
    "path", ["/agenda", "/agenda/enc_1", "/requests", "/people", "/profile", "/availability", "/sessions", "/choices"]
)
async def test_a_page_of_a_participant_asks_strangers_for_their_link(path: str) -> None:
    async with PortalStage().open(*published()) as client:
        assert (await client.get(path)).status_code == 401
        client.cookies.set(PERSON_COOKIE, "L1.forged")
        answer = await client.get(path)
    assert answer.status_code == 401
    assert "Metal" not in answer.text


@pytest.mark.parametrize("part", ["board", "wall", "desk"])
async def test_another_operator_s_edition_is_no_page(part: str) -> None:
    async with PortalStage().open(*published()) as client:
        answer = await as_staff(client, "op_2.s.stranger").get(f"/editions/edn_1/{part}")
    assert answer.status_code == 404


async def test_a_page_needs_the_right_of_its_part() -> None:
    async with PortalStage().open(*published()) as client:
        as_staff(client, DESK)
        assert (await client.get("/editions/edn_1/desk")).status_code == 200
        page = (await client.get("/editions/edn_1/board")).text
        client.cookies.set(STAFF_COOKIE, PERSON)
        assert (await client.get("/editions/edn_1/desk")).status_code == 303
    assert "Metal" not in page or "/board" in page


async def test_an_answer_goes_to_registration_as_the_participant() -> None:
    stage = PortalStage()
    request = EVENTS.request("req_1", "prt_1", "prt_0")
    async with stage.open(*published(), request) as client:
        page = (await as_person(client).get("/requests")).text
        assert "Metal 1" in page
        answer = await client.post("/requests/req_1", data={"do": "accept", "token": token_in(page)})
    assert answer.status_code == 303
    assert stage.registration.asked == [
        ("POST", "/v1/editions/edn_1/participants/prt_0/match-requests/req_1/acceptance", PERSON)
    ]


@pytest.mark.parametrize("fields", [{"do": "accept"}, {"do": "accept", "token": "0" * 32}])
async def test_a_form_of_another_site_is_refused(fields: dict[str, str]) -> None:
    stage = PortalStage()
    async with stage.open(*published(), EVENTS.request("req_1", "prt_1", "prt_0")) as client:
        answer = await as_person(client).post("/requests/req_1", data=fields)
    assert answer.status_code == 403
    assert stage.registration.asked == []


async def test_a_request_of_other_people_is_no_page() -> None:
    stage = PortalStage()
    async with stage.open(*published(), EVENTS.request("req_2", "prt_1", "prt_2")) as client:
        token = token_in((await as_person(client).get("/requests")).text)
        answer = await client.post("/requests/req_2", data={"do": "accept", "token": token})
    assert answer.status_code == 404
    assert stage.registration.asked == []


async def test_board_and_wall_show_encounters_at_their_tables() -> None:
    stage = PortalStage()
    stage.time.now = OPENING + QUARTER / 2
    async with stage.open(*published(), scheduled(0, 0, 1), scheduled(1, 2, 3, "2")) as client:
        board = (await as_staff(client).get("/editions/edn_1/board")).text
        wall = (await client.get("/editions/edn_1/wall")).text
    assert all(f"Metal {number}" in board for number in range(4))
    assert wall.index("Metal 0") < wall.index("Metal 2")


async def test_the_desk_finds_people_without_accents_and_checks_them_in() -> None:
    stage = PortalStage()
    named = participant(2, 2, name="Núria Çelik")
    async with stage.open(*published(), named) as client:
        page = (await as_staff(client, DESK).get("/editions/edn_1/desk", params={"q": "celik nuria"})).text
        assert "Núria Çelik" in page
        await client.post("/editions/edn_1/desk/prt_2", data={"do": "check-in", "token": token_in(page)})
    assert ("POST", "/v1/editions/edn_1/participants/prt_2/check-in", DESK) in stage.registration.asked


async def test_a_mailed_link_signs_staff_in_by_its_button_alone() -> None:
    stage = PortalStage()
    async with stage.open(*published()) as client:
        shown = await client.get("/sign-in", params={"link": DESK})
        assert STAFF_COOKIE not in client.cookies
        assert stage.registration.asked == []
        entered = await client.post("/sign-in", data={"link": DESK})
        assert entered.headers["location"] == "/editions/edn_1/desk"
        assert (await client.get("/editions/edn_1/desk")).status_code == 200
    assert "<button" in shown.text


async def test_pages_say_so_while_registration_is_away() -> None:
    stage = PortalStage(rights_seconds=0.01)
    async with stage.open(*published()) as client:
        stage.registration.is_away = True
        answer = await as_person(client).get("/agenda")
    assert answer.status_code == 503
    assert "Nothing is lost" in answer.text


async def test_every_page_forbids_scripts_and_other_hosts() -> None:
    async with PortalStage().open(*published()) as client:
        for answer in (await client.get("/"), await as_person(client).get("/agenda"), await client.get("/nowhere")):
            policy = answer.headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "'unsafe" not in policy
            assert "://" not in answer.text.replace('xmlns="http://', "")


async def test_pages_are_timed_by_route_template_without_the_secret_of_the_link() -> None:
    timed = MetricDelta(HTTP_SECONDS, route="/p/{link}", method="GET", status="303")
    async with PortalStage().open(*published()) as client:
        await client.get(f"/p/{PERSON}")
    assert timed.value == 1
    assert PERSON.encode() not in generate_latest()
