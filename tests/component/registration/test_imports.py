"""Import of files over HTTP: rows are created or changed by name or address, and bad rows are reported."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import httpx
import pytest

from services.registration.api.access import ApiContext
from services.registration.app import make_api
from services.registration.domain.parsing import parse_facts
from services.registration.imports import organisations
from tests.support.registration_api import OPERATORS, EditionHarness, RegistrationHarness
from tests.support.workbooks import saved

CSV = {"content-type": "text/csv; charset=utf-8"}
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ORGANISATIONS = (
    "name;kind;country;codes\nAcme;sme;ES;nace:25 ket:ai\nBad;shop;ES;\nOther;research_group;PT;\nACME;sme;ES;\n"
)
PARTICIPANTS = (
    "organisation,name,email,languages,offers,sessions\n"
    "acme,Ana,ana@acme.example,es en,Soldadura|Corte,opening\n"
    ",Bob,bob@x.example,en,,\n"
    "Acme,Eve,not an address,xx,,closing\n"
)


async def test_a_file_imported_again_changes_nothing(
    api: httpx.AsyncClient, edition: EditionHarness, registration: RegistrationHarness
) -> None:
    path = f"{edition.path}/imports"
    first = (await api.post(f"{path}/organisations", content=ORGANISATIONS, headers=CSV)).json()
    assert (first["created"], first["changed"], first["unchanged"]) == (2, 0, 0)
    assert [(bad["line"], bad["column"]) for bad in first["rejected"]] == [(3, "kind"), (5, "")]
    people = (await api.post(f"{path}/participants", content=PARTICIPANTS, headers=CSV)).json()
    assert people["created"] == 1
    assert {(bad["line"], bad["column"]) for bad in people["rejected"]} == {
        (3, "organisation"), (4, "email")
    }  # fmt: skip
    events = len(await registration.published())
    again = (await api.post(f"{path}/organisations", content=ORGANISATIONS, headers=CSV)).json()
    assert (again["created"], again["changed"], again["unchanged"]) == (0, 0, 2)
    again = (await api.post(f"{path}/participants", content=PARTICIPANTS, headers=CSV)).json()
    assert (again["created"], again["changed"], again["unchanged"]) == (0, 0, 1)
    assert len(await registration.published()) == events


async def test_a_changed_row_changes_the_fields_of_its_columns(api: httpx.AsyncClient, edition: EditionHarness) -> None:
    path = f"{edition.path}/imports/organisations"
    await api.post(path, content="name,kind,country,region\nAcme,sme,ES,Toledo\n", headers=CSV)
    report = (await api.post(path, content="name,kind,country\nacme,large_company,ES\n", headers=CSV)).json()
    assert report["changed"] == 1
    found = [item for item in (await api.get(f"{edition.path}/organisations")).json()["items"] if item["revision"] == 2]
    assert [(item["kind"], item["region"]) for item in found] == [("large_company", "Toledo")]


async def test_yes_and_no_are_read_in_the_languages_of_the_mails(
    api: httpx.AsyncClient, edition: EditionHarness
) -> None:
    cells = {"Uno": "Sí", "Dos": "no", "Tres": "X", "Cuatro": "", "Cinco": "maybe"}
    rows = "".join(f"{name},sme,ES,{cell}\n" for name, cell in cells.items())
    report = (
        await api.post(
            f"{edition.path}/imports/organisations", content=f"name,kind,country,interchangeable\n{rows}", headers=CSV
        )
    ).json()
    assert [(bad["line"], bad["column"]) for bad in report["rejected"]] == [(6, "interchangeable")]
    found = (await api.get(f"{edition.path}/organisations")).json()["items"]
    read = {item["name"]: item["interchangeable"] for item in found if item["name"] in cells}
    assert read == {"Uno": True, "Dos": False, "Tres": True, "Cuatro": False}


@pytest.mark.parametrize("media", [XLSX, "application/octet-stream"])
async def test_a_workbook_is_imported_from_a_form(api: httpx.AsyncClient, edition: EditionHarness, media: str) -> None:
    files = {"file": ("people.xlsx", saved(["name", "kind", "country"], ["Acme", "sme", "ES"]), media)}
    answer = await api.post(f"{edition.path}/imports/organisations", files=files)
    assert answer.json()["created"] == 1


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"\xff\xfe\x00\xd8\x00\x00", CSV, 422),
        (b"", CSV, 422),
        (b"not a zip", {"content-type": XLSX}, 422),
        (b"x", {"content-type": "application/pdf"}, 415),
        (b"x", {"content-type": "multipart/form-data"}, 422),
        (b"x", {"content-type": "multipart/form-data; boundary=b"}, 422),
        (b"a" * 300_000, CSV, 413),
        (b"name;kind;country\n" + b"A;sme;ES\n" * 301, CSV, 422),
    ],
)
async def test_an_unreadable_file_is_refused(
    api: httpx.AsyncClient, edition: EditionHarness, content: bytes, headers: dict[str, str], status: int
) -> None:
    answer = await api.post(f"{edition.path}/imports/organisations", content=content, headers=headers)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


class SlowBody:
    """The body of an import that arrives when the test says so."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.may_arrive = asyncio.Event()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self.asked.set()
        await self.may_arrive.wait()
        yield b"name,kind,country\nAcme,sme,ES\n"


async def test_an_operator_has_one_import_at_a_time(
    api: httpx.AsyncClient, rival: httpx.AsyncClient, edition: EditionHarness
) -> None:
    path, body = f"{edition.path}/imports/organisations", SlowBody()
    first = asyncio.create_task(api.post(path, content=body, headers=CSV))
    await body.asked.wait()
    second = await api.post(path, content=ORGANISATIONS, headers=CSV)
    assert (second.status_code, second.headers["retry-after"]) == (429, "10")
    assert second.json()["type"] == "urn:tertulia:problem:import-running"
    other = await EditionHarness(rival).set_up()
    answer = await rival.post(f"{other.path}/imports/organisations", content=ORGANISATIONS, headers=CSV)
    assert answer.json()["created"] == 2
    body.may_arrive.set()
    assert (await first).json()["created"] == 1
    assert (await api.post(path, content=ORGANISATIONS, headers=CSV)).status_code == 200


async def test_a_client_that_leaves_gives_its_place_back(
    api: httpx.AsyncClient, edition: EditionHarness, context: ApiContext
) -> None:
    path = f"/v1{edition.path}/imports/organisations"
    messages: list[Any] = [
        {"type": "http.request", "body": b"name,kind", "more_body": True},
        {"type": "http.disconnect"},
    ]
    key = f"Bearer itecam.{OPERATORS['itecam']}".encode()
    scope = {
        "type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b"", "headers":
        [(b"authorization", key), (b"content-type", b"text/csv")], "http_version": "1.1", "scheme": "http",
    }  # fmt: skip

    async def receive() -> Any:
        return messages.pop(0)

    async def send(_: Any) -> None:
        """The client hears no answer."""

    with suppress(Exception):
        await make_api(context)(scope, receive, send)
    assert messages == []
    answer = await api.post(path.removeprefix("/v1"), content=ORGANISATIONS, headers=CSV)
    assert answer.status_code == 200


async def test_the_report_of_many_bad_rows_is_bounded(api: httpx.AsyncClient, edition: EditionHarness) -> None:
    rows = "".join(f"Acme {number},shop,Atlantis\n" for number in range(300))
    path = f"{edition.path}/imports/organisations"
    answer = await api.post(path, content=f"name,kind,country\n{rows}", headers=CSV)
    report = answer.json()
    assert (report["created"], report["rejected_rows"], len(report["rejected"])) == (0, 300, 500)
    counts = {(problem["column"], problem["count"]) for problem in report["problems"]}
    assert counts == {("kind", 300), ("country", 300)}
    assert report["problems"][0]["lines"] == list(range(2, 12))
    assert len(answer.content) < 128 * 1024


async def test_requests_have_their_turn_after_each_row(
    api: httpx.AsyncClient, edition: EditionHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows_at_once = [0]

    def read_row(*arguments: Any) -> Any:
        rows_at_once[-1] += 1
        return parse_facts(*arguments)

    async def note_turns() -> None:
        while True:
            rows_at_once.append(0)
            await asyncio.sleep(0)

    monkeypatch.setattr(organisations, "parse_facts", read_row)
    noting = asyncio.create_task(note_turns())
    rows = "".join(f"Acme {number},sme,ES\n" for number in range(300))
    path = f"{edition.path}/imports/organisations"
    report = (await api.post(path, content=f"name,kind,country\n{rows}", headers=CSV)).json()
    noting.cancel()
    assert report["created"] == sum(rows_at_once) == 300
    assert max(rows_at_once) == 1


async def test_the_progress_of_an_import_is_told_while_it_runs(
    api: httpx.AsyncClient, edition: EditionHarness, context: ApiContext
) -> None:
    path = f"{edition.path}/imports"
    rows = "\n".join(f"Firma {number};sme;ES" for number in range(300))
    importing = asyncio.create_task(
        api.post(f"{path}/organisations", content=f"name;kind;country\n{rows}", headers=CSV)
    )
    told = []
    while not importing.done():
        told.append((await api.get(f"{path}/progress")).json())
        await asyncio.sleep(0)  # a call within the process suspends nothing
    assert (await importing).json()["created"] == 300
    steps = [progress["step"] for progress in told if progress["running"]]
    assert {"planning", "writing"} <= set(steps)
    assert steps == sorted(steps, key=("reading", "planning", "writing").index)
    assert {progress["list"] for progress in told if progress["running"]} == {"organisations"}
    over = (await api.get(f"{path}/progress")).json()
    assert over == {"running": False, "list": None, "step": None, "percent": 0}
