"""An export of an edition, written to a temporary file: an error comes before the first byte of the answer."""

from __future__ import annotations

import asyncio
import re
import tempfile
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import IO, Final

from services.registration.domain.errors import FieldError, Invalid
from services.registration.exports.agendas import AGENDAS, ATTENDANCE, ENCOUNTERS, WAITING
from services.registration.exports.csv_file import CsvFile
from services.registration.exports.lists import MATCH_REQUESTS, ORGANISATIONS, PARTICIPANTS
from services.registration.exports.tables import ExportSource, ExportTable
from services.registration.exports.unreached import UNREACHED
from services.registration.exports.workbook import WorkbookFile
from shared.contract.events import Language

EXPORTS: Final[Mapping[str, ExportTable]] = {
    "participants": PARTICIPANTS,
    "organisations": ORGANISATIONS,
    "match-requests": MATCH_REQUESTS,
    "encounters": ENCOUNTERS,
    "agendas": AGENDAS,
    "attendance": ATTENDANCE,
    "waiting": WAITING,
    "unreached": UNREACHED,
}
#: Most rows of an export. Agendas have a row for each entry.
MOST_ROWS: Final = 100_000
_ROWS_OF_A_TURN: Final = 25
#: Characters that some file system refuses in a name.
_REFUSED: Final = re.compile(r"[^\w .()+-]")
_BYTES_IN_MEMORY: Final = 1024 * 1024


class ExportFormat(StrEnum):
    """The formats of exports, named as their files end."""

    CSV = "csv"
    XLSX = "xlsx"


def file_of(
    file_format: ExportFormat, out: IO[bytes], headings: Sequence[str], title: str, language: Language
) -> CsvFile | WorkbookFile:
    """Begin a file with its headings. A workbook shows the title; a CSV file has the delimiter of the language."""
    if file_format is ExportFormat.CSV:
        return CsvFile(out, headings, language)
    return WorkbookFile(out, headings, title)


@dataclass(frozen=True)
class ExportFile:
    """A finished export: its content from the first byte on, and the name that a reader finds again."""

    content: IO[bytes]
    name: str


async def export(source: ExportSource, kind: str, file_format: ExportFormat, today: date) -> ExportFile:
    """Write a kind of export. Requests have their turns between its rows.

    Raises:
        Invalid: the table has more rows than an export may have.
        ServiceUnavailable: a further service that knows the rows does not answer.
    """
    title = source.words.title(kind)
    # The answer closes the file when it has been sent.
    content = tempfile.SpooledTemporaryFile(_BYTES_IN_MEMORY)  # noqa: SIM115
    try:
        await _write(content, source, EXPORTS[kind], title, file_format)
    except BaseException:
        content.close()
        raise
    content.seek(0)
    return ExportFile(content, file_name(title, source.edition.name, today, file_format))


async def _write(
    content: IO[bytes], source: ExportSource, table: ExportTable, title: str, file_format: ExportFormat
) -> None:
    file = file_of(file_format, content, table.headings(source.words), title, source.words.language)
    rows = 0
    async for row in table.rows(source):
        rows += 1
        if rows > MOST_ROWS:
            raise Invalid(FieldError("", f"more than {MOST_ROWS} rows: read them page by page over the API"))
        file.add(row)
        if rows % _ROWS_OF_A_TURN == 0:
            await asyncio.sleep(0)
    await asyncio.to_thread(file.close)


def file_name(title: str, edition: str, today: date, file_format: ExportFormat) -> str:
    """Return the name of a file with its edition and its day, without characters that file systems refuse."""
    name = unicodedata.normalize("NFC", f"{title} - {edition[:100]} - {today.isoformat()}")
    return f"{_REFUSED.sub('_', name)}.{file_format.value}"
