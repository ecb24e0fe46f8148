"""Exports over the API: what an edition holds, as files that a spreadsheet opens and an import reads back."""

from __future__ import annotations

import csv
import io
from typing import Any

import httpx
import openpyxl
import pytest

from services.registration.import_files.formulas import is_formula
from services.registration.import_files.sheet import FORMULA
from shared.contract.events import Language
from tests.support.registration_api import (
    EditionHarness,
    edition_body,
    organisation_body,
    participant_body,
)

LANGUAGES = [language.value for language in Language]
LISTS = {"participants": 6, "organisations": 4, "match-requests": 3}
#: Texts that a spreadsheet must not run, and texts that an import could misread.
ODD = [
    *("=1+1", "@SUM(A1)", "-2+3", "\uff1d1+1", '"=1+1', "\u00a0=1"),
    *("+1-2", "- Soldadura", "2; 3 | 4", "N/A", "0123", "'x"),
]


async def fill(api: httpx.AsyncClient) -> EditionHarness:
    edition = await EditionHarness(api).set_up(edition_body())
    odd = organisation_body(
        name="=HYPERLINK(A1)",
        kind="large_company",
        country="DE",
        codes=["ateco:25.62", "ket:robotics", "nace:25.62"],
        website="https://ñandú.example/x",
        description='Línea uno\n"=2+2"; y más | N/A',
        booth="-12",
        phone="+34 600 11 22 33",
        external_id="00123",
        region="-",
        delegation="@Sevilla",
        interchangeable=True,
    )
    organisation_id = (await edition.post(f"{edition.path}/organisations", odd))["organisation_id"]
    await edition.post(f"{edition.path}/organisations", organisation_body(name="Ohne Leute GmbH", country="XK"))
    for number, phone in enumerate(("+1 201-555-0123", "91 123/45", "+34600112233")):
        body = participant_body(
            organisation_id,
            name=["Ruiz, Ana", "Ana  María", "X"][number],
            email="info@odd.example" if number < 2 else "c@odd.example",
            languages=["de", "it"],
            job_title=ODD[number],
            phone=phone,
            external_id=["1.0", "true", "2026-11-26"][number],
            profile={"offers": ODD[:6], "needs": ODD[6:], "codes": ["nace:25.10", "x:1.2.3", "a:2"]},
            session_ids=["opening"],
        )
        if number < 3:
            answer = await api.post(f"{edition.path}/participants", json=body)
            if not answer.is_success:  # a shared mailbox comes in by a list only
                row = f"company;full name;email\n=HYPERLINK(A1);{body['name']};{body['email']}\n"
                await api.post(f"{edition.path}/imports/participants", content=row.replace(";=", ";'="))
    await edition.request(0, 2)
    await edition.request(1, 3, priority=3)
    await edition.request(0, None, partners_wanted=3)
    return edition


async def exported(api: httpx.AsyncClient, edition: EditionHarness, file: str, **query: str) -> httpx.Response:
    answer = await api.get(f"{edition.path}/exports/{file}", params=query)
    assert answer.status_code == 200, answer.text
    return answer


def rows_of(answer: httpx.Response, delimiter: str = ",") -> list[list[str]]:
    assert answer.content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline=""), delimiter=delimiter))


async def imported(api: httpx.AsyncClient, edition: EditionHarness, kind: str, content: bytes) -> dict[str, Any]:
    answer = await api.post(
        f"{edition.path}/imports/{kind}?dry_run=true", content=content, headers={"content-type": "text/csv"}
    )
    report: dict[str, Any] = answer.json()
    assert answer.status_code == 200, report
    return report


@pytest.mark.parametrize("kind", LISTS)
async def test_a_list_exported_in_any_language_is_imported_unchanged(api: httpx.AsyncClient, kind: str) -> None:
    edition = await fill(api)
    for language in LANGUAGES:
        for ending in ("csv", "xlsx"):
            answer = await exported(api, edition, f"{kind}.{ending}", lang=language)
            report = await imported(api, edition, kind, answer.content)
            assert report["unchanged"] == LISTS[kind], (language, ending, report["rejected"], report["rows"])
            assert report["rejected_rows"] == report["changed"] == report["created"] == report["missing_count"] == 0
            assert not report["warnings"], report["warnings"]


@pytest.mark.parametrize("kind", LISTS)
async def test_no_cell_of_a_text_file_is_run_as_a_formula(api: httpx.AsyncClient, kind: str) -> None:
    edition = await fill(api)
    rows = rows_of(await exported(api, edition, f"{kind}.csv"))
    assert not [cell for row in rows for cell in row if is_formula(cell) and not cell.startswith("'")]
    if kind == "participants":
        assert {row[5] for row in rows[1:]} == {"", "+1 201 555 0123", "'+34600112233"}


async def test_another_reader_sees_texts_as_texts_and_numbers_as_numbers(api: httpx.AsyncClient) -> None:
    edition = await fill(api)
    book: Any = openpyxl.load_workbook(io.BytesIO((await exported(api, edition, "organisations.xlsx")).content))
    rows = list(book.active.iter_rows())
    assert [cell.value for cell in rows[0]][:3] == ["Company", "Organisation type", "Country"]
    cells = {cell.value: cell for row in rows[1:] for cell in row}
    for text in ("=HYPERLINK(A1)", "@Sevilla"):
        assert cells[text].quotePrefix
    assert {cell.data_type for row in rows for cell in row if cell.value is not None} == {"s"}
    assert "+34 600 11 22 33" in cells
    assert "00123" in cells
    requests: Any = openpyxl.load_workbook(io.BytesIO((await exported(api, edition, "match-requests.xlsx")).content))
    assert {row[4].value for row in list(requests.active.iter_rows())[1:]} == {2, 3}
    assert FORMULA not in {cell.data_type for row in rows for cell in row}


async def test_a_file_is_named_after_its_edition_and_day(api: httpx.AsyncClient) -> None:
    edition = await EditionHarness(api).set_up(edition_body(name="Encuentro «B2B»/2026"))
    answer = await exported(api, edition, "participants.xlsx", lang="es")
    disposition = answer.headers["content-disposition"]
    assert "participantes%20-%20Encuentro%20_B2B__2026%20-%202026-11-01.xlsx" in disposition


async def test_the_language_is_that_of_the_reader(api: httpx.AsyncClient) -> None:
    edition = await EditionHarness(api).set_up(edition_body())
    answer = await api.get(f"{edition.path}/exports/participants.csv", headers={"accept-language": "ca, de-AT;q=0.8"})
    assert answer.text.lstrip("\ufeff").startswith("Unternehmen;Vor- und Nachname;")


async def test_cancelled_entries_are_left_out_unless_asked_for(api: httpx.AsyncClient) -> None:
    edition = await EditionHarness(api).set_up(edition_body())
    await edition.post(f"{edition.path}/participants/{edition.participants[0]}/cancellation")
    assert len(rows_of(await exported(api, edition, "participants.csv"))) == 4
    rows = rows_of(await exported(api, edition, "participants.csv", cancelled="true"))
    assert sorted(row[11] for row in rows[1:]) == ["active", "active", "active", "cancelled"]


async def test_an_unknown_export_names_the_known_ones(api: httpx.AsyncClient) -> None:
    edition = await EditionHarness(api).set_up(edition_body())
    answer = await api.get(f"{edition.path}/exports/people.csv")
    assert answer.status_code == 404
    assert "participants" in answer.json()["detail"]
    assert (await api.get(f"{edition.path}/exports/participants.csv?lang=ru")).status_code == 422
