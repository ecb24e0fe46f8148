"""Lists of match requests, of availability and of session choices name registered participants."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.support.registration_api import ANY_REVISION, EditionHarness

CSV = {"content-type": "text/csv"}


@pytest.fixture
def send(api: httpx.AsyncClient, edition: EditionHarness) -> Any:
    async def send(kind: str, content: str, query: str = "") -> dict[str, Any]:
        answer = await api.post(f"{edition.path}/imports/{kind}{query}", content=content.encode(), headers=CSV)
        assert answer.status_code == 200, answer.text
        report: dict[str, Any] = answer.json()
        return report

    return send


async def items(api: httpx.AsyncClient, edition: EditionHarness, kind: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await api.get(f"{edition.path}/{kind}", params={"limit": 500})).json()["items"]
    return found


async def test_match_requests_are_made_once(send: Any, api: httpx.AsyncClient, edition: EditionHarness) -> None:
    raw = (
        "Solicitante;Quiere reunirse con;Prioridad\n"
        "a1@x.example;P 2a;alta\n"
        "P 1b;b2@x.example;\n"
        "a2@x.example;;1\n"
        "a1@x.example;P 1b;2\n"
        "a1@x.example;nobody;2\n"
        "a1@x.example;P 2b;whatever\n"
    )
    tried = await send("match-requests", raw, "?dry_run=true")
    assert (tried["created"], tried["rejected_rows"]) == (3, 3)
    assert await items(api, edition, "match-requests") == []
    done = await send("match-requests", raw, f"?token={tried['token']}")
    assert [(bad["line"], bad["column"]) for bad in done["rejected"]] == [
        (5, "Quiere reunirse con"), (6, "Quiere reunirse con"), (7, "Prioridad"),
    ]  # fmt: skip
    assert "'nobody': register the participant first" in done["rejected"][1]["reason"]
    made = await items(api, edition, "match-requests")
    assert sorted((item["priority"], item["target_id"] is None) for item in made) == [(1, True), (2, False), (3, False)]
    assert (await send("match-requests", raw))["unchanged"] == 3


async def test_people_are_named_without_accents_and_titles_and_near_names_are_proposed(
    send: Any, api: httpx.AsyncClient, edition: EditionHarness
) -> None:
    for participant_id, name in zip(edition.participants, ("Prof. Élodie Chérif", "Jean Etcheverry"), strict=False):
        path = f"{edition.path}/participants/{participant_id}"
        assert (await api.patch(path, json={"name": name}, headers=ANY_REVISION)).is_success
    team = "Empresa;Nombre;Email\nEmpresa 2;Uno;info@x.example\nEmpresa 2;Dos;info@x.example\n"
    assert (await send("participants", team))["created"] == 2
    raw = "From;To\nElodie Cherif;P 2a\nJean Etchevery;P 2a\nElodie Cherif;info@x.example\n"
    done = await send("match-requests", raw)
    assert done["created"] == 1
    assert [bad["reason"].partition("': ")[2] or bad["reason"] for bad in done["rejected"]] == [
        "do you mean Jean Etcheverry?",
        "write the name of one, such as Dos, Uno",
    ]


async def test_availability_is_read_in_local_times(send: Any, api: httpx.AsyncClient, edition: EditionHarness) -> None:
    raw = (
        "E-mail;Fecha;Desde;Hasta\n"
        "a1@x.example;26/11/2026;9:00;10h\n"
        "a1@x.example;2026-11-26;11:00;12:00\n"
        "b1@x.example;;2026-11-26 09:30;10:30\n"
        "a2@x.example;;soon;12:00\n"
    )
    report = await send("availability", raw)
    assert (report["changed"], report["rejected_rows"]) == (2, 1)
    assert "'soon' is no time" in report["rejected"][0]["reason"]
    people = {person["email"]: person["available"] for person in await items(api, edition, "participants")}
    assert [stay["starts_at"] for stay in people["a1@x.example"]] == ["2026-11-26T08:00:00Z", "2026-11-26T10:00:00Z"]
    assert people["b1@x.example"] == [{"starts_at": "2026-11-26T08:30:00Z", "ends_at": "2026-11-26T09:30:00Z"}]
    assert (await send("availability", raw))["unchanged"] == 2


async def test_availability_in_another_month_is_refused_and_without_a_slot_warned_of(send: Any) -> None:
    raw = (
        "E-mail;Fecha;Desde;Hasta\n"
        "a1@x.example;26/12/2026;9:00;10:00\n"
        "b1@x.example;26/11/2026;20:00;21:00\n"
        "a2@x.example;26/11/2026;9:00;10:00\n"
    )
    for query in ("?dry_run=true", ""):
        report = await send("availability", raw, query)
        assert (report["changed"], report["rejected_rows"]) == (2, 1)
        assert "December" in report["rejected"][0]["reason"]
        assert [(warning["line"], "no slot" in warning["reason"]) for warning in report["warnings"]] == [(3, True)]


async def test_session_choices_are_added(send: Any, api: httpx.AsyncClient, edition: EditionHarness) -> None:
    raw = "Participant;Session\na1@x.example;Apertura\nP 1b;opening\na2@x.example;Gala\n"
    report = await send("session-choices", raw)
    assert (report["changed"], report["rejected_rows"]) == (2, 1)
    assert "no session is named 'Gala'; there are 'Apertura'" in report["rejected"][0]["reason"]
    people = {person["email"]: person["session_ids"] for person in await items(api, edition, "participants")}
    assert (people["a1@x.example"], people["b1@x.example"], people["a2@x.example"]) == (["opening"], ["opening"], [])
    assert (await send("session-choices", raw))["unchanged"] == 2


async def test_availability_is_read_from_a_cell_and_from_marks_below_times(
    send: Any, api: httpx.AsyncClient, edition: EditionHarness
) -> None:
    report = await send("availability", "Nombre;Disponibilidad\nP 1a;9:00-10:00 / 11:00-\nP 1b;algún día\n")
    assert (report["changed"], report["rejected_rows"]) == (1, 1)
    assert "'algún día' is no time: write it as 10:00-12:00" in report["rejected"][0]["reason"]
    grid = "Nombre;09:00-09:30;09:30-10:00;Vormittag\nP 1b;x;sí;no\nP 2a;;;X\nP 2b;quizá;;\n"
    report = await send("availability", grid)
    assert (report["changed"], report["rejected_rows"]) == (2, 1)
    assert "'quizá' below '09:00-09:30': write x" in report["rejected"][0]["reason"]
    people = {person["name"]: person["available"] for person in await items(api, edition, "participants")}
    hours = {
        name: [(stay["starts_at"][11:16], stay["ends_at"][11:16]) for stay in times]
        for name, times in people.items()
        if times
    }
    assert hours == {
        "P 1a": [("08:00", "09:00"), ("10:00", "11:00")],
        "P 1b": [("08:00", "09:00")],
        "P 2a": [("08:00", "11:00")],
    }


async def test_sessions_are_chosen_by_marks_below_their_titles(
    send: Any, api: httpx.AsyncClient, edition: EditionHarness
) -> None:
    report = await send("session-choices", "Nombre;Apertura;Comida\nP 1a;x;x\nP 1b;;x\nP 2a;no;\n")
    assert (report["changed"], report["unchanged"], report["rejected"]) == (1, 2, [])
    assert report["found"]["ignored"] == ["Comida"]
    people = {person["name"]: person["session_ids"] for person in await items(api, edition, "participants")}
    assert [name for name, sessions in people.items() if sessions] == ["P 1a"]


async def test_several_people_in_a_cell_of_a_request_are_told_to_be_rows(send: Any) -> None:
    report = await send(
        "match-requests", 'From;To\nP 1a;"P 2a; P 2b"\n"P 1a <a1@x.example>";"""P, Q"" <b2@x.example>"\n'
    )
    assert (report["created"], report["rejected_rows"]) == (1, 1)
    assert "if it names several, write a row for each" in report["rejected"][0]["reason"]


async def test_an_organisation_in_place_of_a_person_is_told_as_that(
    send: Any, api: httpx.AsyncClient, edition: EditionHarness
) -> None:
    name = (await items(api, edition, "organisations"))[0]["name"]
    report = await send("match-requests", f"Solicitante;Quiere reunirse con\na1@x.example;{name.upper()}\n")
    assert f"{name.upper()!r} is an organisation: name the participant" in report["rejected"][0]["reason"]
