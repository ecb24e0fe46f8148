"""A list of 5,000 people with ten oddities at once: only its broken rows are refused."""

from __future__ import annotations

import io
from random import Random
from typing import Any, Final

import httpx
import openpyxl
import pytest
from openpyxl.styles import Font

from services.registration.settings import Settings
from tests.support.registration_api import NO_RATES, Clock, EditionHarness, RegistrationHarness, client_of

ROWS: Final = 5_000
#: One row in so many is broken, and refused.
BROKEN_EVERY: Final = 50
_COUNTRIES: Final = ("España", "spain", "ESP", "Deutschland", "FR", "uk", "Italia", "México", "PRT", "Perú (PE)")
_LANGUAGES: Final = ("es", "Inglés", "FR", "de-AT", "Español; English", "italiano, es", "", "Portugués y español")
_KINDS: Final = ("PYME", "SME", "KMU", "Gran empresa", "Universidad", "Centro tecnológico", "", "Asociación")
_GIVEN: Final = ("Ana", "José María", "Zoë", "Ólafur", "李", "Νίκος", "Jean-Luc", "Björn", "Мария", "Nuria")
_FAMILY: Final = ("Núñez", "O'Neill", "García-Gómez", "", "Weiß", "Παπαδόπουλος", "de la Cruz", "Петрова")
_BREAKS: Final = ("email", "country", "status", "organisation")


def odd_list(rows: int, seed: int) -> tuple[bytes, set[int]]:
    """Return a workbook, and the lines of its broken rows.

    Its oddities: instructions on the first sheet, title and blank rows, headings in Spanish with marks, unknown and
    empty columns, names in two columns and all scripts, invisible characters, shared mailboxes, countries and languages
    in many spellings, merged organisations, numbers as phones, blank rows, and a used range to the last row.
    """
    random = Random(seed)  # noqa: S311 - made-up people
    book: Any = openpyxl.Workbook()
    book.active.append(["Rellene la hoja Inscritos", "Una fila por persona"])
    sheet = book.create_sheet("Inscritos")
    sheet.append(["Inscritos al encuentro 2027"])
    sheet.append([])
    sheet.append(
        ["Nº pedido", "Nombre (*)", "Apellidos", "E-mail:", None, "Empresa / Company", "Tipo de entidad", "País",
         "Idiomas", "Cargo", "Teléfono móvil", "CNAE", "¿Qué busca?", "Estado inscripción", "Menú"]
    )  # fmt: skip
    broken: set[int] = set()
    line = 4
    for number in range(rows):
        if number % 40 == 39:
            sheet.append([None, " "])
            line += 1
        cells = _row(random, number)
        if number % BROKEN_EVERY == 7:
            _break(cells, _BREAKS[number // BROKEN_EVERY % len(_BREAKS)])
            broken.add(line)
        sheet.append(cells)
        line += 1
    sheet.cell(row=1_048_576, column=1).font = Font(bold=True)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue(), broken


def _row(random: Random, number: int) -> list[object]:
    company = number // 2
    mailbox = f"info@c{company}.example" if number % 10 < 2 else f"P{number} <p.{number}@c{company}.example>"
    name = f"{random.choice(_GIVEN)} {number}"
    return [
        10_000 + number,
        f"\u200b{name}" if number % 7 == 0 else name,
        random.choice(_FAMILY),
        mailbox,
        None,
        f"Cía {company}, S.L." if number % 2 else f"CIA {company} SL\u00a0",
        random.choice(_KINDS),
        random.choice(_COUNTRIES),
        random.choice(_LANGUAGES),
        "CEO",
        600_000_000 + number,
        random.choice(("25.62", "CNAE 2562", "nace:25.62", "25.62 - Mecanizado", None)),
        "Acero; Moldes\nSoldadura",
        random.choice(("Confirmada", "Pagada", "")),
        "vegano",
    ]


def _break(cells: list[object], kind: str) -> None:
    place, value = {
        "email": (3, "no tiene"),
        "country": (7, "Narnia"),
        "status": (13, "Cancelada"),
        "organisation": (5, None),
    }[kind]
    cells[place] = value
    if kind == "country":
        cells[5] = f"Nueva {cells[0]}"


@pytest.fixture
async def lists(registration: RegistrationHarness) -> Any:
    api: httpx.AsyncClient = client_of(registration.context, "itecam")
    edition = await EditionHarness(api).set_up()

    async def send(raw: bytes) -> dict[str, Any]:
        answer = await api.post(f"{edition.path}/imports/participants", content=raw, timeout=120)
        assert answer.status_code == 200, answer.text
        report: dict[str, Any] = answer.json()
        return report

    return send


@pytest.fixture
async def registration() -> RegistrationHarness:
    harness = RegistrationHarness(Clock(), Settings(**NO_RATES))
    await harness.set_up_database()
    return harness


async def test_only_the_broken_rows_of_a_list_with_ten_oddities_are_refused(lists: Any) -> None:
    raw, broken = odd_list(ROWS, 1)
    report = await lists(raw)
    assert {bad["line"] for bad in report["rejected"]} == broken
    assert (report["created"], report["rejected_rows"]) == (ROWS - len(broken), len(broken))
    assert report["found"]["sheet"] == "Inscritos"
    assert report["found"]["ignored"] == ["Nº pedido", "Menú"]


async def test_an_odd_list_is_read_the_same_when_it_comes_again(lists: Any) -> None:
    raw, broken = odd_list(300, 2)
    await lists(raw)
    again = await lists(raw)
    assert (again["created"], again["changed"], again["unchanged"]) == (0, 0, 300 - len(broken))
