"""Exports of the agenda over the API, with the scheduler and notify behind it."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import httpx
import openpyxl
import pytest

from services.registration.internal_clients import InternalClient, InternalClients, no_clients
from services.scheduler.domain.state import AgendaState
from services.scheduler.service import Scheduler
from shared.contract.events import Remedy
from tests.support.registration_api import ANY_REVISION
from tests.support.scheduler_api import NINE, ApiHarness


class NotifyThatKnows(InternalClient):
    """Notify with the states of mails that a test sets."""

    def __init__(self) -> None:
        super().__init__("notify", None)
        self.items: list[dict[str, Any]] = []

    async def get(self, path: str, parameters: Any = None) -> dict[str, Any]:
        return {"items": [item for item in self.items if item["participant_id"] > parameters["after"]][:1000]}


@pytest.fixture
def notify() -> NotifyThatKnows:
    return NotifyThatKnows()


@pytest.fixture
async def api(harness: ApiHarness, notify: NotifyThatKnows) -> AsyncIterator[httpx.AsyncClient]:
    """A single table and slot for two encounters; the second waits. Ana attends a session."""
    clients = InternalClients(no_clients().matching, harness.internal_client(), notify)
    async with harness.client_with(clients) as client:
        await harness.set_up(client, "Ana Beto Carla Dario")
        body = {
            "zones": [{"zone_id": "work", "kind": "workspace", "name": "=Sala", "tables": ["1"]}],
            "days": [{"date": "2026-11-26", "starts": "09:00", "ends": "09:15"}],
            "sessions": [
                {
                    "session_id": "opening",
                    "kind": "keynote",
                    "title": "Apertura",
                    "zone_id": "work",
                    "starts_at": "2026-11-26T10:00",
                    "ends_at": "2026-11-26T10:30",
                }
            ],
            "phase": "published",
        }
        answer = await client.patch(harness.path, json=body, headers=ANY_REVISION)
        assert answer.status_code == 200, answer.text
        person = f"{harness.path}/participants/{harness.people['Ana']}"
        answer = await client.patch(person, json={"session_ids": ["opening"]}, headers=ANY_REVISION)
        assert answer.status_code == 200, answer.text
        await harness.deliver(harness.pair("Carla", "Dario", priority=1), harness.pair("Ana", "Beto", priority=3))
        await harness.settle()
        yield client


async def rows(harness: ApiHarness, api: httpx.AsyncClient, kind: str, language: str = "en") -> list[list[str]]:
    answer = await api.get(f"{harness.path}/exports/{kind}.csv?lang={language}")
    assert answer.status_code == 200, answer.text
    delimiter = "," if language == "en" else ";"
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline=""), delimiter=delimiter))


async def test_encounters_have_names_and_local_times(harness: ApiHarness, api: httpx.AsyncClient) -> None:
    header, placed, waiting = await rows(harness, api, "encounters")
    assert header[:3] == ["Day", "Start time", "End time"]
    assert placed[:5] == ["2026-11-26", "09:00", "09:15", "'=Sala", "1"]
    assert {placed[5], placed[7]} == {"Carla", "Dario"}
    assert waiting[:5] == [""] * 5
    assert waiting[10] == "waiting"
    answer = await api.get(f"{harness.path}/exports/encounters.xlsx?lang=de")
    book: Any = openpyxl.load_workbook(io.BytesIO(answer.content))
    first = list(book.active.iter_rows())[1]
    assert (first[0].value.date(), first[1].value.hour) == (NINE.date(), 9)
    assert (first[3].value, first[3].data_type) == ("=Sala", "s")


async def test_agendas_list_encounters_and_sessions_by_person(harness: ApiHarness, api: httpx.AsyncClient) -> None:
    _, *listed = await rows(harness, api, "agendas", "es")
    assert [(row[0], row[4], row[8]) for row in listed] == [
        ("Ana", "10:00", "sesión: Apertura"),
        ("Carla", "09:00", "encuentro"),
        ("Dario", "09:00", "encuentro"),
    ]
    assert listed[1][9:] == ["Dario", "Org Dario"]


async def test_a_wait_has_its_reason_and_a_remedy_in_words(harness: ApiHarness, api: httpx.AsyncClient) -> None:
    _, waiting = await rows(harness, api, "waiting", "es")
    assert {waiting[0], waiting[2]} == {"Ana", "Beto"}
    assert waiting[5] == "No hay mesa libre cuando los participantes lo están."
    assert waiting[6].startswith("Podría celebrarse el 2026-11-26 09:00 con: una mesa más en =Sala.")


async def test_general_advice_stands_for_a_remedy_that_was_not_found(
    harness: ApiHarness, api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def none_known(
        self: Scheduler, edition_id: str, *_: object
    ) -> tuple[AgendaState, dict[str, Remedy], datetime]:
        return await self.agenda(edition_id), {}, harness.moment

    monkeypatch.setattr(Scheduler, "remedies", none_known)
    _, waiting = await rows(harness, api, "waiting", "fr")
    assert waiting[6].startswith(("Ajoutez", "Allongez", "Demandez"))


async def test_attendance_tells_who_came(harness: ApiHarness, api: httpx.AsyncClient) -> None:
    harness.moment = NINE
    answer = await api.patch(harness.path, json={"phase": "live"}, headers=ANY_REVISION)
    assert answer.status_code == 200, answer.text
    await harness.deliver()
    [encounter] = [
        item for item in (await api.get(f"{harness.path}/encounters")).json()["items"] if item["state"] != "waiting"
    ]
    dario = harness.people["Dario"]
    answer = await api.post(f"{harness.path}/participants/{harness.people['Carla']}/check-in")
    assert answer.status_code == 200, answer.text
    report = {"outcome": "missed", "absent": [dario]}
    answer = await api.post(f"{harness.path}/encounters/{encounter['encounter_id']}/attendance", json=report)
    assert answer.status_code == 200, answer.text
    _, *listed = await rows(harness, api, "attendance", "en")
    found = {row[0]: (row[2], row[10]) for row in listed if row[10]}
    assert found == {"Carla": ("yes", "came"), "Dario": ("no", "did not come")}
    assert {row[0] for row in listed} == {"Ana", "Beto", "Carla", "Dario"}


async def test_participants_whom_no_mail_reached_are_listed_with_the_reason(
    harness: ApiHarness, api: httpx.AsyncClient, notify: NotifyThatKnows
) -> None:
    states = {"Ana": "reached", "Beto": "refused", "Carla": "postponed"}
    notify.items = [
        {"participant_id": harness.people[name], "state": state, "reason": "the mail server answered 550"}
        for name, state in states.items()
    ]
    _, *listed = await rows(harness, api, "unreached", "es")
    assert [(row[0], row[4]) for row in listed] == [
        ("Beto", "correo rechazado"),
        ("Carla", "correo aplazado"),
        ("Dario", "sin correo todavía"),
    ]
    assert listed[0][5] == "El servidor de correo rechaza la dirección. (the mail server answered 550)"
    assert listed[0][6] == "Corrija la dirección, o llame por teléfono."


async def test_an_export_without_the_service_behind_it_is_a_problem_and_no_file(
    harness: ApiHarness, api: httpx.AsyncClient
) -> None:
    async with harness.client_with(no_clients()) as alone:
        for kind in ("encounters", "agendas", "attendance", "waiting", "unreached"):
            answer = await alone.get(f"{harness.path}/exports/{kind}.csv")
            assert answer.status_code == 503
            assert "does not say where" in answer.json()["detail"]
