"""Import of files over HTTP: rows are created or changed by name or address, and bad rows are reported."""

from __future__ import annotations

import io
from typing import Any

import httpx
import openpyxl
import pytest

from tests.support.registration_api import EditionHarness, RegistrationHarness

CSV = {"content-type": "text/csv; charset=utf-8"}
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ORGANISATIONS = (
    "name;kind;country;codes\nAcme;sme;ES;nace:25 ket:ai\nBad;shop;ES;\nOther;research_group;PT;\nACME;sme;ES;\n"
)
PARTICIPANTS = (
    "organisation,name,email,languages,offers,sessions\n"
    "acme,Ana,ana@acme.example,es en,Soldadura|Corte,opening\n"
    "nobody,Bob,bob@x.example,en,,\n"
    "Acme,Eve,not an address,xx,,\n"
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
        (3, "organisation"), (4, "email"), (4, "languages")
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
    book = openpyxl.Workbook()
    sheet: Any = book.active
    sheet.append(["name", "kind", "country"])
    sheet.append(["Acme", "sme", "ES"])
    out = io.BytesIO()
    book.save(out)
    files = {"file": ("people.xlsx", out.getvalue(), media)}
    answer = await api.post(f"{edition.path}/imports/organisations", files=files)
    assert answer.json()["created"] == 1


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"\xff", CSV, 422),
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
