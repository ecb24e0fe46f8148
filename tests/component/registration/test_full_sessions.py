"""Sessions with a capacity: participants keep their seats, and wait in line for a full session."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from services.registration.domain.participant import Participant
from services.registration.service import serve_lines
from tests.support.registration_api import (
    ANY_REVISION,
    Clock,
    EditionHarness,
    RegistrationHarness,
    participant_body,
)

TIMES = {"kind": "panel", "zone_id": "hall", "starts_at": "2026-11-26T09:00", "ends_at": "2026-11-26T09:30"}
LATER = TIMES | {"starts_at": "2026-11-26T09:30", "ends_at": "2026-11-26T10:00"}
CSV = {"content-type": "text/csv"}


def session(capacity: int | None, session_id: str = "talk") -> dict[str, Any]:
    times = TIMES if session_id == "talk" else LATER
    return times | {"session_id": session_id, "title": session_id.title(), "capacity": capacity}


class Talk:
    """An edition with a talk of two seats, and four participants who may ask for a seat."""

    def __init__(self, api: httpx.AsyncClient, edition: EditionHarness) -> None:
        self._api, self._edition = api, edition

    async def resize(self, capacity: int | None) -> None:
        answer = await self._api.patch(
            self._edition.path, json={"sessions": [session(capacity), session(None, "open")]}, headers=ANY_REVISION
        )
        assert answer.is_success, answer.text

    async def change(self, number: int, **patch: Any) -> httpx.Response:
        return await self._api.patch(
            f"{self._edition.path}/participants/{self._edition.participants[number]}", json=patch, headers=ANY_REVISION
        )

    async def attends(self, number: int, *session_ids: str) -> int:
        """Ask for sessions, and leave all further lines: 200 with all sessions, 202 in a line."""
        answer = await self.change(number, session_ids=list(session_ids), waiting_session_ids=[])
        assert answer.status_code == 200, answer.text
        return 202 if answer.json()["waiting_session_ids"] else 200

    async def sessions_of(self, number: int) -> tuple[list[str], list[str]]:
        """Return the sessions that a participant attends, and waits for."""
        path = f"{self._edition.path}/participants/{self._edition.participants[number]}"
        found = (await self._api.get(path)).json()
        return found["session_ids"], found["waiting_session_ids"]

    async def seats(self) -> tuple[int, int | None]:
        talk = (await self._api.get(f"{self._edition.path}/sessions")).json()["items"][0]
        return talk["attending"], talk["seats_left"]


@pytest.fixture
async def talk(api: httpx.AsyncClient, edition: EditionHarness) -> Talk:
    talk = Talk(api, edition)
    await talk.resize(2)
    return talk


async def test_a_participant_of_a_full_session_is_registered_and_waits(
    api: httpx.AsyncClient, edition: EditionHarness, talk: Talk, clock: Clock
) -> None:
    assert [await talk.attends(number, "talk") for number in (0, 1)] == [200, 200]
    waits = await talk.change(2, session_ids=["open", "talk"])
    assert (waits.status_code, waits.json()["session_ids"]) == (200, ["open"])
    assert waits.json()["waiting_session_ids"] == ["talk"]
    warning = next(warning for warning in waits.json()["warnings"] if warning["slug"] == "waits-for-seat")
    assert (warning["value"], "the session is full (2 of 2)" in warning["message"]) == ("talk", True)
    clock.advance(seconds=1)
    newcomer = participant_body(edition.organisations[0], session_ids=["talk"])
    answer = await api.post(f"{edition.path}/participants", json=newcomer)
    assert (answer.status_code, answer.json()["session_ids"]) == (201, [])
    assert "at place 2 of the line" in answer.json()["warnings"][0]["message"]
    session = (await api.get(f"{edition.path}/sessions")).json()["items"][0]
    assert (session["seats_left"], session["waiting"]) == (0, 2)
    assert session["line"] == [edition.participants[2], answer.json()["participant_id"]]


async def test_a_participant_keeps_the_seat_when_other_fields_change(talk: Talk) -> None:
    assert [await talk.attends(number, "talk") for number in (0, 1)] == [200, 200]
    changed = await talk.change(0, name="Eva Sanz", email="eva@x.example", session_ids=["open", "talk"])
    assert changed.json()["session_ids"] == ["open", "talk"]
    assert await talk.seats() == (2, 0)


@pytest.mark.parametrize("how", ["leaves", "cancels", "organisation cancels"])
async def test_the_seat_of_a_participant_who_leaves_goes_down_the_line(
    api: httpx.AsyncClient, edition: EditionHarness, talk: Talk, how: str
) -> None:
    assert [await talk.attends(number, "talk") for number in (0, 2)] == [200, 200]
    assert await talk.attends(3, "talk") == 202
    if how == "leaves":
        assert await talk.attends(0) == 200
    else:
        party = (
            f"participants/{edition.participants[0]}"
            if how == "cancels"
            else f"organisations/{edition.organisations[0]}"
        )
        assert (await api.post(f"{edition.path}/{party}/cancellation")).is_success
    assert await talk.seats() == (2, 0)
    assert await talk.sessions_of(3) == (["talk"], [])


async def test_a_lowered_capacity_takes_no_seat_and_gives_none(talk: Talk) -> None:
    await talk.resize(4)
    assert [await talk.attends(number, "talk") for number in (0, 1, 2)] == [200, 200, 200]
    await talk.resize(1)
    assert await talk.seats() == (3, 0)
    assert (await talk.change(0, name="Eva Sanz")).is_success
    assert [await talk.attends(number) for number in (0, 1)] == [200, 200]
    assert [await talk.attends(3, "talk"), await talk.attends(2), await talk.attends(3, "talk")] == [202, 200, 200]


async def test_participants_from_before_the_capacity_count(talk: Talk) -> None:
    await talk.resize(None)
    assert await talk.attends(0, "talk") == 200
    assert await talk.seats() == (1, None)
    await talk.resize(2)
    assert [await talk.attends(number, "talk") for number in (1, 2)] == [200, 202]


async def test_concurrent_requests_fill_a_session_exactly(
    api: httpx.AsyncClient, edition: EditionHarness, talk: Talk
) -> None:
    await talk.resize(5)
    people = [
        participant_body(edition.organisations[0], email=f"p{number}@x.example", session_ids=["talk"])
        for number in range(20)
    ]
    answers = await asyncio.gather(*(api.post(f"{edition.path}/participants", json=body) for body in people))
    assert {answer.status_code for answer in answers} == {201}
    assert sorted(len(answer.json()["session_ids"]) for answer in answers) == [0] * 15 + [1] * 5
    assert await talk.seats() == (5, 0)


async def test_a_repeat_of_the_request_for_the_last_seat_succeeds(
    api: httpx.AsyncClient, edition: EditionHarness, talk: Talk
) -> None:
    await talk.resize(1)
    body = participant_body(edition.organisations[0], session_ids=["talk"])
    first, again = [
        await api.post(f"{edition.path}/participants", json=body, headers={"Idempotency-Key": "k"}) for _ in range(2)
    ]
    assert (again.status_code, again.json()) == (201, first.json())


async def test_rows_of_a_file_fill_a_session_and_the_rest_waits(
    api: httpx.AsyncClient, edition: EditionHarness, talk: Talk
) -> None:
    rows = [f"Empresa 1,P{number},p{number}@x.example,es,talk" for number in range(4)]
    header = "organisation,name,email,languages,sessions"

    async def imported(*lines: str) -> dict[str, Any]:
        answer = await api.post(f"{edition.path}/imports/participants", content="\n".join(lines), headers=CSV)
        report: dict[str, Any] = answer.json()
        return report

    report = await imported(header, *rows)
    assert (report["created"], report["rejected_rows"]) == (4, 0)
    assert [warning["column"] for warning in report["warnings"]] == ["sessions", "sessions"]
    assert "full (2 of 2)" in report["warnings"][0]["reason"]
    assert (await imported(header, *rows))["unchanged"] == 4
    left = [row.removesuffix("talk") for row in rows]
    assert (await imported(header, *left))["changed"] == 4
    assert await talk.seats() == (0, 2)


async def test_freed_seats_go_down_the_line_in_order(api: httpx.AsyncClient, talk: Talk, clock: Clock) -> None:
    for number in (3, 1, 0, 2):
        await talk.attends(number, "talk")
        clock.advance(seconds=1)
    assert [await talk.sessions_of(number) for number in (0, 2)] == [([], ["talk"])] * 2
    await talk.attends(1)
    assert [await talk.sessions_of(number) for number in (0, 2)] == [(["talk"], []), ([], ["talk"])]
    await talk.attends(1, "talk")
    clock.advance(seconds=1)
    await talk.resize(3)
    assert await talk.sessions_of(2) == (["talk"], [])
    assert await talk.sessions_of(1) == ([], ["talk"])
    await talk.resize(None)
    assert await talk.sessions_of(1) == (["talk"], [])


async def test_a_repeated_request_keeps_the_place_in_line(
    api: httpx.AsyncClient, edition: EditionHarness, talk: Talk, clock: Clock
) -> None:
    for number in (0, 1, 2):
        await talk.attends(number, "talk")
    path = f"{edition.path}/participants/{edition.participants[2]}"
    before = (await api.get(path)).json()
    clock.advance(seconds=1)
    await talk.attends(3, "talk")
    again = await api.put(f"{path}/sessions/talk")
    assert (again.json()["revision"], again.json()["waiting_since"]) == (before["revision"], before["waiting_since"])
    renamed = (await talk.change(2, name="Eva", session_ids=[])).json()
    assert renamed["waiting_since"] == before["waiting_since"]
    left = (await api.delete(f"{path}/sessions/talk")).json()
    assert (left["waiting_session_ids"], left["waiting_since"]) == ([], {})
    assert (await talk.sessions_of(3))[1] == ["talk"]


async def test_the_cancelled_leave_the_line_and_join_it_anew(
    api: httpx.AsyncClient, edition: EditionHarness, talk: Talk, clock: Clock
) -> None:
    for number in (0, 1, 2, 3):
        await talk.attends(number, "talk")
        clock.advance(seconds=1)
    path = f"{edition.path}/participants/{edition.participants[2]}"
    await api.post(f"{path}/cancellation")
    back = (await api.post(f"{path}/reinstatement")).json()
    assert (back["waiting_session_ids"], "place 2" in back["warnings"][0]["message"]) == (["talk"], True)
    await talk.attends(0)
    assert [await talk.sessions_of(number) for number in (2, 3)] == [([], ["talk"]), (["talk"], [])]


async def test_the_background_work_goes_on_where_a_process_died(
    edition: EditionHarness, talk: Talk, registration: RegistrationHarness, clock: Clock
) -> None:
    for number in (0, 1, 2):
        await talk.attends(number, "talk")
    repository = registration.context.store.of("itecam")
    leaves = await repository.find(Participant, edition.edition_id, edition.participants[0])
    assert leaves is not None
    await repository.replace(leaves.changed(clock.now, session_ids=(), seats={}))
    for _ in range(2):
        await serve_lines(registration.context.store, clock)
        assert await talk.sessions_of(2) == (["talk"], [])
    await talk.attends(0, "talk")
    await edition.patch({"phase": "closed"})
    await serve_lines(registration.context.store, clock)
    assert await registration.context.store.editions_with_lines() == []


async def test_a_newcomer_overtakes_nobody_where_a_process_died(
    api: httpx.AsyncClient, edition: EditionHarness, talk: Talk, registration: RegistrationHarness, clock: Clock
) -> None:
    for number in (0, 1, 2):
        await talk.attends(number, "talk")
    repository = registration.context.store.of("itecam")
    leaves = await repository.find(Participant, edition.edition_id, edition.participants[0])
    assert leaves is not None
    await repository.replace(leaves.changed(clock.now, session_ids=(), seats={}))
    clock.advance(seconds=1)
    newcomer = participant_body(edition.organisations[0], session_ids=["talk"])
    answer = await api.post(f"{edition.path}/participants", json=newcomer)
    assert answer.json()["waiting_session_ids"] == ["talk"]
    assert await talk.sessions_of(2) == (["talk"], [])


async def test_a_session_that_has_begun_gives_no_seats_to_its_line(talk: Talk, clock: Clock) -> None:
    for number in (0, 1, 2):
        await talk.attends(number, "talk")
    clock.now = datetime(2026, 11, 26, 8, tzinfo=UTC)
    await talk.attends(0)
    assert await talk.sessions_of(2) == ([], ["talk"])


async def test_another_operator_cannot_see_the_sessions(
    rival: httpx.AsyncClient, edition: EditionHarness, talk: Talk
) -> None:
    assert (await rival.get(f"{edition.path}/sessions")).status_code == 404
