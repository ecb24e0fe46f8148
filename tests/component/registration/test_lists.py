"""Lists as people have them are imported over HTTP: tables are found, values are read, doubts are told."""

from __future__ import annotations

import io
from typing import Any

import httpx
import openpyxl
import pytest

from tests.support.registration_api import EditionHarness, RegistrationHarness, edition_body
from tests.support.workbooks import saved, sheets_saved

CSV = {"content-type": "text/csv"}
XLSX = {"content-type": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}


class Lists:
    """Imports lists into an edition, and reads the registered entities."""

    def __init__(self, api: httpx.AsyncClient, edition: EditionHarness) -> None:
        self.api = api
        self.path = edition.path

    async def send(self, kind: str, content: str | bytes, query: str = "", **headers: str) -> dict[str, Any]:
        raw = content.encode() if isinstance(content, str) else content
        media = XLSX if raw.startswith(b"PK") else CSV
        answer = await self.api.post(f"{self.path}/imports/{kind}{query}", content=raw, headers=media | headers)
        assert answer.status_code == 200, answer.text
        report: dict[str, Any] = answer.json()
        return report

    async def items(self, kind: str) -> dict[str, dict[str, Any]]:
        found = (await self.api.get(f"{self.path}/{kind}", params={"limit": 500})).json()["items"]
        return {item["name"]: item for item in found}


@pytest.fixture
def lists(api: httpx.AsyncClient, edition: EditionHarness) -> Lists:
    return Lists(api, edition)


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-8-sig"])
async def test_a_list_saved_by_a_spanish_spreadsheet_is_read(lists: Lists, encoding: str) -> None:
    raw = "Empresa;Tipo;País;Población\r\nPeña Hermanos S.L.;PYME;España;Almagro\r\n".encode(encoding)
    report = await lists.send("organisations", raw)
    assert (report["created"], report["rejected_rows"]) == (1, 0)
    assert (report["found"]["encoding"], report["found"]["delimiter"]) == (encoding, ";")
    assert report["found"]["ignored"] == ["Población"]
    made = (await lists.items("organisations"))["Peña Hermanos S.L."]
    assert (made["kind"], made["country"]) == ("sme", "ES")


async def test_countries_are_read_by_name_and_code_and_others_are_refused(lists: Lists) -> None:
    cells = {"es": "ES", "Germany": "DE", "FRA": "FR", "uk": "GB", "ITA | Italia | Italy": "IT", "Corea del Sur": "KR"}
    rows = "".join(f'"C {cell}",sme,"{cell}"\n' for cell in cells)
    report = await lists.send("organisations", f"name,kind,country\n{rows}C none,sme,QQ\nC near,sme,Germny\n")
    made = await lists.items("organisations")
    assert {cell: made[f"C {cell}"]["country"] for cell in cells} == cells
    assert [(bad["line"], bad["column"]) for bad in report["rejected"]] == [(8, "country"), (9, "country")]
    assert report["rejected"][0]["reason"].startswith("C8: 'QQ' is no country")
    assert "is Germany meant?" in report["rejected"][1]["reason"]


async def test_languages_are_read_by_name_and_tag(lists: Lists) -> None:
    cells = {
        "EN": ["en"], "pt-PT": ["pt"], "German": ["de"], "Français": ["fr"], "it": ["it"], "en; es": ["en", "es"],
        "de/fr": ["de", "fr"], "Castellano e inglés": ["es", "en"], "": ["es"], "Polish, English": ["en"],
    }  # fmt: skip
    rows = "".join(f'Empresa 1,"L {cell}",l{number}@x.example,"{cell}"\n' for number, cell in enumerate(cells))
    report = await lists.send("participants", f"organisation,name,email,languages\n{rows}")
    assert report["rejected"] == []
    made = await lists.items("participants")
    assert {cell: made[f"L {cell}".strip()]["languages"] for cell in cells} == cells
    assert report["assumed"] == [{"field": "languages", "value": "es", "rows": 1}]
    assert [(doubt["line"], doubt["column"]) for doubt in report["warnings"]] == [(11, "languages")]


async def test_a_ticketing_export_is_read_and_refunded_tickets_are_pointed_out(lists: Lists) -> None:
    report = await lists.send(
        "participants",
        "Order no.,Ticket holder,First Name,Surname,E-mail address,Booking status,Country of residence,Position,"
        "Company\n"
        "7,x,Inés,Roldán,ines@roldan.example,Confirmed,Portugal,CTO,Roldán Lda\n"
        "8,x,Tom,Lee,tom@lee.example,Cancelled,Portugal,CEO,Lee Lda\n",
    )
    assert (report["created"], report["organisations_created"]) == (1, ["Roldán Lda"])
    assert [(bad["line"], bad["column"]) for bad in report["rejected"]] == [(3, "Booking status")]
    assert "'Cancelled': not registered" in report["rejected"][0]["reason"]
    person = (await lists.items("participants"))["Inés Roldán"]
    assert (person["job_title"], person["languages"]) == ("CTO", ["es"])
    assert {"Order no.", "Ticket holder"} <= set(report["found"]["ignored"])
    assert (await lists.items("organisations"))["Roldán Lda"]["country"] == "PT"
    assert "Lee Lda" not in await lists.items("organisations")


async def test_several_people_share_a_mailbox(lists: Lists, registration: RegistrationHarness) -> None:
    people = "organisation,name,email,languages\nEmpresa 1,Uno,office@e.example,es\nEmpresa 1,Dos,office@e.example,es\n"
    assert (await lists.send("participants", people))["created"] == 2
    again = await lists.send("participants", people)
    assert (again["created"], again["unchanged"], again["missing_count"]) == (0, 2, 4)
    made = await lists.items("participants")
    assert [made[name]["shares_mailbox"] for name in ("Uno", "Dos")] == [False, True]
    third = await lists.send("participants", "organisation,name,email\nEmpresa 1,Tres,office@e.example\n")
    assert third["created"] == 1
    await registration.published()


async def test_a_person_s_own_address_keeps_to_the_person_when_the_name_is_corrected(lists: Lists) -> None:
    for name in ("Eva Ruis", "Eva Ruiz"):
        report = await lists.send("participants", f"company,name,email\nEmpresa 1,{name},eva.r@e.example\n")
    assert report["changed"] == 1
    assert {"Eva Ruiz"} == {"Eva Ruis", "Eva Ruiz"} & set(await lists.items("participants"))


async def test_codes_that_a_spreadsheet_has_changed_are_recovered_or_refused(lists: Lists) -> None:
    rows: list[list[object]] = [[f"N{number}", "sme", "ES", None] for number in range(6)]
    raw = saved(["name", "kind", "country", "codes"], *rows)
    workbook = openpyxl.load_workbook(io.BytesIO(raw))
    sheet: Any = workbook.active
    for row, (value, number_format) in enumerate(
        [(28.4, "0.00"), (28.4, "General"), (28.49, "General"), (46327, "dd.mm"), ("28.40", "@"), (1.11, "00.00")],
        start=2,
    ):
        sheet[f"D{row}"].value = value
        sheet[f"D{row}"].number_format = number_format
    out = io.BytesIO()
    workbook.save(out)
    report = await lists.send("organisations", out.getvalue())
    made = await lists.items("organisations")
    assert {name: made[name]["codes"] for name in ("N0", "N2", "N4", "N5")} == {
        "N0": ["nace:28.40"], "N2": ["nace:28.49"], "N4": ["nace:28.40"], "N5": ["nace:01.11"],
    }  # fmt: skip
    assert [(bad["line"], bad["reason"][:11]) for bad in report["rejected"]] == [(3, "D3: '28.4',"), (5, "D5: '2026-1")]
    assert all("format the cell as text" in bad["reason"] for bad in report["rejected"])


async def test_names_that_look_the_same_are_the_same_organisation(lists: Lists) -> None:
    await lists.send("organisations", "name,country,website\nCerámicas Núñez S.L.,ES,nunez.example\n")
    report = await lists.send("organisations", "name,region,codes\n\u200bCeramicas Nunez,Toledo,23.31\n")
    assert (report["created"], report["changed"], report["merged"]) == (0, 1, 1)
    made = await lists.items("organisations")
    assert made["Cerámicas Núñez S.L."]["region"] == "Toledo"
    report = await lists.send("organisations", "name,web\nCerámicas Núñez S.A.,www.nunez.example\n")
    assert (report["created"], report["warnings"][0]["column"]) == (1, "web")


async def test_the_new_fields_of_lists_are_kept(lists: Lists) -> None:
    await lists.send(
        "organisations",
        "Exhibitor;Country;Web;About us;Stand;Tel.;ID\nNova;Spain;nova.example;Makes\u00a0parts;3B12;926 111 222;77\n",
    )
    made = (await lists.items("organisations"))["Nova"]
    assert {name: made[name] for name in ("website", "description", "booth", "phone", "external_id")} == {
        "website": "https://nova.example",
        "description": "Makes parts",
        "booth": "3B12",
        "phone": "+34 926 11 12 22",
        "external_id": "77",
    }


async def test_a_form_saves_a_list_sent_by_a_browser_of_windows(lists: Lists) -> None:
    files = {"file": ("list.csv", b"name;country\nA;ES\n", "application/vnd.ms-excel")}
    answer = await lists.api.post(f"{lists.path}/imports/organisations", files=files)
    assert answer.json()["created"] == 1


async def test_a_country_that_nothing_tells_is_asked_for(api: httpx.AsyncClient) -> None:
    edition = await EditionHarness(api).set_up(edition_body(timezone="UTC"))
    lists = Lists(api, edition)
    report = await lists.send("organisations", "name,web\nA,a.example\nB,b.pt\n")
    assert [(bad["line"], bad["column"]) for bad in report["rejected"]] == [(2, "country")]
    assert (await lists.items("organisations"))["B"]["country"] == "PT"
    report = await lists.send("organisations", "name\nA\n", "?country=Chile&kind=research_group")
    assert report["created"] == 1
    made = (await lists.items("organisations"))["A"]
    assert (made["country"], made["kind"]) == ("CL", "research_group")


async def test_a_list_that_names_nothing_needed_is_refused_with_its_headings(lists: Lists) -> None:
    answer = await lists.api.post(f"{lists.path}/imports/participants", content=b"Empresa;Ciudad\nA;B\n", headers=CSV)
    assert answer.status_code == 422
    detail = answer.json()["errors"][0]["detail"]
    assert "missing: name or full_name or first_name or last_name, email" in detail
    assert "line 1 has the headings 'Empresa', 'Ciudad'" in detail


async def test_a_dry_run_writes_nothing_and_its_token_applies_the_list(
    lists: Lists, registration: RegistrationHarness
) -> None:
    await lists.send("organisations", "name,kind,country\nAda,sme,ES\nBea,sme,ES\n")
    before = len(await registration.published())
    raw = "name,kind,country\nAda,large company,ES\nCleo,sme,PT\nDan,sme,QQ\n"
    tried = await lists.send("organisations", raw, "?dry_run=true")
    assert (tried["created"], tried["changed"], tried["rejected_rows"], tried["dry_run"]) == (1, 1, 1, True)
    assert [(row["line"], row["outcome"], row["name"]) for row in tried["rows"]] == [
        (2, "changed", "Ada"),
        (3, "created", "Cleo"),
    ]
    assert tried["rows"][0]["changes"] == {"kind": ["sme", "large_company"]}
    assert {"Bea", "Empresa 1"} <= set(tried["missing"])
    assert len(await registration.published()) == before
    done = await lists.send("organisations", raw, f"?token={tried['token']}")
    assert (done["created"], done["changed"], done["token"]) == (1, 1, None)


async def test_a_token_of_other_effects_is_refused_with_the_new_preview(lists: Lists) -> None:
    raw = "name,kind,country\nAda,sme,ES\n"
    token = (await lists.send("organisations", raw, "?dry_run=true"))["token"]
    path = f"{lists.path}/imports/organisations?token={token}"
    answer = await lists.api.post(path, content=raw.replace("ES", "PT"), headers=CSV)
    assert (answer.status_code, answer.json()["type"]) == (412, "urn:tertulia:problem:preview-stale")
    await lists.send("organisations", raw)
    answer = await lists.api.post(path, content=raw, headers=CSV)
    assert answer.status_code == 412
    again = answer.json()["token"]
    assert answer.json()["preview"]["unchanged"] == 1
    assert (await lists.send("organisations", raw, f"?token={again}"))["unchanged"] == 1
    assert (await lists.send("organisations", raw, "?token=*"))["unchanged"] == 1


async def test_a_large_change_needs_a_look_once_agendas_are_announced(lists: Lists, edition: EditionHarness) -> None:
    names = [f"O{number}" for number in range(5)]
    await lists.send("organisations", "name,kind,country\n" + "".join(f"{name},sme,ES\n" for name in names))
    await edition.patch({"phase": "published", "preview_above_people": 4})
    raw = "name,region\n" + "".join(f"{name},Toledo\n" for name in names)
    answer = await lists.api.post(f"{lists.path}/imports/organisations", content=raw, headers=CSV)
    assert (answer.status_code, answer.json()["preview"]["changed"]) == (428, 5)
    assert (await lists.send("organisations", raw, f"?token={answer.json()['token']}"))["changed"] == 5
    few = await lists.send("organisations", "name,region\nO1,Cuenca\nO9,Cuenca\n")
    assert (few["changed"], few["created"]) == (1, 1)


async def test_a_marked_copy_says_what_to_correct_and_can_be_imported(lists: Lists) -> None:
    raw = "Empresa;País;Web\n=1+1;ES;x\nUno;QQ;\nDos;ES;\n@Tres;ES;\n"
    answer = await lists.api.post(
        f"{lists.path}/imports/organisations?dry_run=true", content=raw, headers=CSV | {"accept": "text/csv"}
    )
    copy = answer.text.removeprefix("\ufeff").splitlines()
    assert answer.headers["content-disposition"] == 'attachment; filename="organisations-checked.csv"'
    assert copy[0] == "Tertulia;Tertulia: reasons;Tertulia: line;Empresa;País;Web"
    assert [line.split(";")[0] for line in copy[1:]] == ["rejected", "rejected", "created", "created"]
    assert copy[2].startswith("rejected;País: B3: 'QQ' is no country")
    assert copy[4].endswith("'@Tres;ES;")
    report = await lists.send("organisations", answer.content.replace(b"QQ", b"PT"))
    assert (report["created"], report["rejected_rows"]) == (3, 1)  # the formula has no value yet


@pytest.mark.parametrize("media", [CSV["content-type"], XLSX["content-type"]])
async def test_a_marked_copy_keeps_all_columns_and_cells(lists: Lists, media: str) -> None:
    raw = saved(
        ["Notas", None, "Empresa", "País", "Código"],
        ["visto =1", "sin título", "Uno", "QQ", 25.1],
        ["+34 600", None, "Dos", "ES", None],
    )
    answer = await lists.api.post(
        f"{lists.path}/imports/organisations?dry_run=true", content=raw, headers=XLSX | {"accept": media}
    )
    assert answer.headers["content-type"].startswith(media)
    if media == XLSX["content-type"]:
        book: Any = openpyxl.load_workbook(io.BytesIO(answer.content))
        rows = [[cell.value for cell in row] for row in book.active.iter_rows()]
        assert rows[0][3:] == ["Notas", None, "Empresa", "País", "Código"]
        assert rows[1][3:] == ["visto =1", "sin título", "Uno", "QQ", 25.1]
        assert rows[2][:4] == ["created", None, 3, "+34 600"]
    else:
        assert "visto =1;sin título;Uno;QQ;25.1" in answer.text
        assert "created;;3;+34 600;;Dos;ES" in answer.text
    again = await lists.send("organisations", answer.content)
    assert (again["created"], again["rejected_rows"]) == (1, 1)


async def test_instructions_on_the_first_sheet_are_passed_over(lists: Lists) -> None:
    raw = sheets_saved(
        {
            "Instrucciones": [["Rellene la hoja Datos"], ["Una fila por empresa"]],
            "Datos": [["Encuentro 2027"], [], ["Empresa (*)", "País"], ["Uno", "ES"], [None, None], ["Dos", "PT"]],
        }
    )
    report = await lists.send("organisations", raw)
    assert (report["created"], report["found"]["sheet"], report["found"]["header_line"]) == (2, "Datos", 3)


async def test_a_mapping_is_taken_and_remembered(lists: Lists) -> None:
    raw = "Wer;Wo;Name\nUno;ES;x\n"
    mapping = '?mapping={"Wer": "name", "B": "country", "Name": ""}'
    assert (await lists.send("organisations", raw, mapping))["created"] == 1
    report = await lists.send("organisations", raw.replace("Uno", "Dos"))
    assert (report["created"], report["found"]["ignored"]) == (1, ["Name"])
    forgotten = await lists.send("organisations", "Name\nTres\n", "?mapping={}")
    assert forgotten["created"] == 1
    for wrong in ("no", "[]", '{"Wer": "nothing"}', '{"Wer": 5}'):
        answer = await lists.api.post(
            f"{lists.path}/imports/organisations", content=raw, headers=CSV, params={"mapping": wrong}
        )
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "mapping")


@pytest.mark.parametrize("kind", ["organisations", "participants", "match-requests", "availability", "session-choices"])
async def test_a_template_is_read_as_an_empty_list(lists: Lists, kind: str) -> None:
    for ending, language in (("", "en"), (".csv", "de"), (".xlsx", "it")):
        path = f"{lists.path}/imports/{kind}/template{ending}"
        answer = await lists.api.get(path, params={"lang": language})
        assert answer.headers["content-disposition"].startswith(f'attachment; filename="{kind}-{language}.')
        report = await lists.send(kind, answer.content)
        assert (report["created"], report["rejected_rows"], report["found"]["ignored"]) == (0, 0, [])


async def test_the_example_of_a_template_shows_each_value_and_is_not_imported(lists: Lists) -> None:
    answer = await lists.api.get(f"{lists.path}/imports/organisations/template.csv?lang=es")
    header, example = answer.text.lstrip("\ufeff").splitlines()
    assert header.startswith("Empresa;Tipo de entidad;País;")
    assert example.startswith("Ejemplo: Acme;pyme;España;Castilla-La Mancha;")
    report = await lists.send("organisations", f"{answer.text}Uno;pyme;España\n")
    assert report["created"] == 1


async def test_a_workbook_template_offers_kinds_and_countries(lists: Lists) -> None:
    answer = await lists.api.get(f"{lists.path}/imports/participants/template.xlsx?lang=de")
    book: Any = openpyxl.load_workbook(io.BytesIO(answer.content))
    offered = {str(rule.sqref): rule for rule in book.active.data_validations.dataValidation}
    assert len(offered) == 3
    assert all(rule.type == "list" and not rule.showErrorMessage for rule in offered.values())
    lists_of_values = [{cell.value for cell in row} for row in book["_"].iter_rows()]
    assert book["_"].sheet_state == "hidden"
    assert any("Deutschland" in values for values in lists_of_values)
    assert any("KMU" in values for values in lists_of_values)


@pytest.mark.parametrize("heading", ["Nombre", "NOMBRE_EMPRESA", "Raison sociale", "legalName", "Firmenname", "Ente"])
async def test_organisations_are_named_under_usual_headings(lists: Lists, heading: str) -> None:
    report = await lists.send("organisations", f"{heading};País\nUno;ES\n")
    assert report["created"] == 1
