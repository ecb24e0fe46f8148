"""Sessions with a capacity: a full session is refused, and participants keep their seats."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from tests.support.registration_api import ANY_REVISION, EditionHarness, participant_body

TIMES = {"kind": "panel", "zone_id": "hall", "starts_at": "2026-11-26T09:00", "ends_at": "2026-11-26T09:30"}
CSV = {"content-type": "text/csv"}


def session(capacity: int | None, session_id: str = "talk") -> dict[str, Any]:
    return TIMES | {"session_id": session_id, "title": session_id.title(), "capacity": capacity}


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
        return (await self.change(number, session_ids=list(session_ids))).status_code

    async def seats(self) -> tuple[int, int | None]:
        talk = (await self._api.get(f"{self._edition.path}/sessions")).json()["items"][0]
        return talk["attending"], talk["seats_left"]


@pytest.fixture
async def talk(api: httpx.AsyncClient, edition: EditionHarness) -> Talk:
    talk = Talk(api, edition)
    await talk.resize(2)
    return talk


async def test_a_full_session_refuses_a_participant_and_says_so(
    api: httpx.AsyncClient, edition: EditionHarness, talk: Talk
) -> None:
    assert [await talk.attends(number, "talk") for number in (0, 1)] == [200, 200]
    refused = await talk.change(2, session_ids=["open", "talk"])
    assert refused.status_code == 422
    [fault] = refused.json()["errors"]
    assert fault["pointer"] == "/session_ids/1"
    assert "the session is full (2 of 2)" in fault["detail"]
    newcomer = participant_body(edition.organisations[0], session_ids=["talk"])
    refused = await api.post(f"{edition.path}/participants", json=newcomer)
    assert [fault["pointer"] for fault in refused.json()["errors"]] == ["/session_ids/0"]
    assert await talk.attends(2, "open") == 200


async def test_a_participant_keeps_the_seat_when_other_fields_change(talk: Talk) -> None:
    assert [await talk.attends(number, "talk") for number in (0, 1)] == [200, 200]
    changed = await talk.change(0, name="Eva Sanz", email="eva@x.example", session_ids=["open", "talk"])
    assert changed.json()["session_ids"] == ["open", "talk"]
    assert await talk.seats() == (2, 0)


@pytest.mark.parametrize("how", ["leaves", "cancels", "organisation cancels"])
async def test_a_participant_who_leaves_frees_the_seat(
    api: httpx.AsyncClient, edition: EditionHarness, talk: Talk, how: str
) -> None:
    assert [await talk.attends(number, "talk") for number in (0, 2)] == [200, 200]
    assert await talk.attends(3, "talk") == 422
    if how == "leaves":
        assert await talk.attends(0) == 200
    else:
        party = (
            f"participants/{edition.participants[0]}"
            if how == "cancels"
            else f"organisations/{edition.organisations[0]}"
        )
        assert (await api.post(f"{edition.path}/{party}/cancellation")).is_success
    assert await talk.seats() == (1, 1)
    assert await talk.attends(3, "talk") == 200


async def test_a_lowered_capacity_takes_no_seat_and_gives_none(talk: Talk) -> None:
    await talk.resize(4)
    assert [await talk.attends(number, "talk") for number in (0, 1, 2)] == [200, 200, 200]
    await talk.resize(1)
    assert await talk.seats() == (3, 0)
    assert (await talk.change(0, name="Eva Sanz")).is_success
    assert [await talk.attends(number) for number in (0, 1)] == [200, 200]
    assert [await talk.attends(3, "talk"), await talk.attends(2), await talk.attends(3, "talk")] == [422, 200, 200]


async def test_participants_from_before_the_capacity_count(talk: Talk) -> None:
    await talk.resize(None)
    assert await talk.attends(0, "talk") == 200
    assert await talk.seats() == (1, None)
    await talk.resize(2)
    assert [await talk.attends(number, "talk") for number in (1, 2)] == [200, 422]


async def test_concurrent_requests_fill_a_session_exactly(
    api: httpx.AsyncClient, edition: EditionHarness, talk: Talk
) -> None:
    await talk.resize(5)
    people = [
        participant_body(edition.organisations[0], email=f"p{number}@x.example", session_ids=["talk"])
        for number in range(20)
    ]
    answers = await asyncio.gather(*(api.post(f"{edition.path}/participants", json=body) for body in people))
    assert sorted(answer.status_code for answer in answers) == [201] * 5 + [422] * 15
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


async def test_rows_of_a_file_fill_a_session_and_the_rest_is_rejected(
    api: httpx.AsyncClient, edition: EditionHarness, talk: Talk
) -> None:
    rows = [f"Empresa 1,P{number},p{number}@x.example,es,talk" for number in range(4)]
    file = "\n".join(["organisation,name,email,languages,sessions", *rows])
    report = (await api.post(f"{edition.path}/imports/participants", content=file, headers=CSV)).json()
    assert report["created"] == 2
    assert {bad["column"] for bad in report["rejected"]} == {"sessions"}
    assert "full (2 of 2)" in report["rejected"][0]["reason"]
    again = (await api.post(f"{edition.path}/imports/participants", content=file, headers=CSV)).json()
    assert (again["unchanged"], len(again["rejected"])) == (2, 2)


async def test_another_operator_cannot_see_the_sessions(
    rival: httpx.AsyncClient, edition: EditionHarness, talk: Talk
) -> None:
    assert (await rival.get(f"{edition.path}/sessions")).status_code == 404
