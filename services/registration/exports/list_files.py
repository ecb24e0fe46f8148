"""Files around imports: templates of lists, and copies of lists with the outcomes of their rows."""

from __future__ import annotations

import io
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from services.registration.exports.service import ExportFormat, file_of
from services.registration.exports.tables import Cell
from services.registration.exports.words import ExportWords, countries, languages
from services.registration.exports.workbook import WorkbookFile
from services.registration.import_files.headings import letter_of
from services.registration.import_files.sheet import NumberCell, Sheet
from services.registration.import_files.worksheet import column_of
from services.registration.imports.report import ImportReport
from shared.contract.events import Language, OrganisationKind

#: Fields of the templates, by kind of list.
TEMPLATES: Final[Mapping[str, Sequence[str]]] = {
    "participants": (
        *("organisation", "full_name", "email", "languages", "job_title", "phone", "external_id"),
        *("offers", "needs", "codes", "sessions"),
        *("organisation_kind", "organisation_country", "organisation_region", "organisation_delegation"),
        *("organisation_website", "organisation_description", "organisation_booth"),
    ),
    "organisations": (
        *("name", "kind", "country", "region", "delegation", "interchangeable", "codes", "website", "description"),
        *("booth", "phone", "external_id"),
    ),
    "match-requests": ("requester", "target", "priority", "partners_wanted"),
    "availability": ("participant", "day", "starts_at", "ends_at"),
    "session-choices": ("participant", "session"),
}
#: Cells of the example row. The cell of a field that is not here stays empty.
_EXAMPLES: Final = {
    "full_name": "Ana Ruiz",
    "email": "ana@example.org",
    "job_title": "CEO",
    "phone": "+34 600 11 22 33",
    "external_id": "A-17",
    "codes": "nace:25.62",
    "region": "Castilla-La Mancha",
    "website": "https://www.example.org",
    "booth": "B12",
    "target": "eva@example.org",
    "priority": "3",
    "partners_wanted": "",
    "day": "2026-11-26",
    "starts_at": "09:00",
    "ends_at": "13:30",
}
_FIRST: Final = {"organisation": "Acme", "name": "Acme"}
#: Rows of a template in which a cell offers its values.
_ROWS_WITH_CHOICES: Final = 10_000
_MARKS: Final = ("Tertulia", "Tertulia: reasons", "Tertulia: line")
_MOST_DIGITS: Final = 15


def template(kind: str, words: ExportWords, file_format: ExportFormat) -> bytes:
    """Return the headings of a kind of list with an example row, which an import skips.

    A workbook offers the values of kinds, countries, languages, and yes or no.
    """
    fields = TEMPLATES[kind]
    out = io.BytesIO()
    headings = [words.heading(name) for name in fields]
    file = file_of(file_format, out, headings, words.title(kind), words.language)
    file.add(_example(fields, words))
    if isinstance(file, WorkbookFile):
        for number, name in enumerate(fields):
            if choices := _choices(name.removeprefix("organisation_"), words):
                file.offer(number, choices, _ROWS_WITH_CHOICES)
    file.close()
    return out.getvalue()


def _example(fields: Sequence[str], words: ExportWords) -> list[Cell]:
    told: dict[str, str] = _EXAMPLES | {
        "kind": words.word("kinds", OrganisationKind.SME),
        "country": words.country("ES"),
        "languages": words.language_name(words.language.value),
        "interchangeable": words.yes_or_no(False),
    }
    cells: list[Cell] = [told.get(name.removeprefix("organisation_"), "") for name in fields]
    cells[0] = f"{words.word('templates', 'example')}: {_FIRST.get(fields[0], 'ana@example.org')}"
    return cells


def _choices(name: str, words: ExportWords) -> list[str]:
    match name:
        case "kind":
            return [words.word("kinds", kind) for kind in OrganisationKind]
        case "country":
            return countries(words)
        case "languages":
            return languages(words)
        case "interchangeable":
            return [words.yes_or_no(answer) for answer in (True, False)]
    return []


def marked_copy(sheet: Sheet, report: ImportReport, file_format: ExportFormat) -> bytes:
    """Return a list with all its columns, every row with its outcome, the reasons, and its line in the file.

    It can be corrected and imported. The sheet needs its whole rows.
    """
    reasons: dict[int, list[str]] = defaultdict(list)
    for rejection in (*report.rejections, *report.all_warnings):
        reasons[rejection.line].append(f"{rejection.column}: {rejection.reason}".removeprefix(": "))
    outcomes = {effect.line: effect.outcome for effect in report.effects}
    headings = {column.letter: column.heading for column in sheet.found.columns}
    rows = dict(sheet.whole_rows())
    width = max((len(cells) for cells in rows.values()), default=0)
    width = max([width, *map(column_of, headings)])
    letters = [letter_of(number) for number in range(width)]
    out = io.BytesIO()
    titles = [*_MARKS, *(headings.get(letter, "") for letter in letters)]
    file = file_of(file_format, out, titles, "Tertulia", Language.SPANISH)
    # A row that was rejected before its cells were told apart has a line only.
    for line in sorted({*rows, *reasons}):
        outcome = outcomes.get(line, "rejected" if reasons[line] else "")
        cells = rows.get(line, [])
        file.add([outcome, " | ".join(reasons[line]), line, *map(_typed, cells), *[""] * (width - len(cells))])
    file.close()
    return out.getvalue()


def _typed(cell: str) -> Cell:
    """Return a number of a workbook as a number, so that the copy keeps what the spreadsheet has made of it."""
    if not isinstance(cell, NumberCell):
        return cell
    try:
        number = float(cell)
    except ValueError:
        return cell
    is_exact = math.isfinite(number) and len(cell) <= _MOST_DIGITS
    return (int(number) if number.is_integer() else number) if is_exact else cell
