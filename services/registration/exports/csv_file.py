"""An export as a CSV file for the spreadsheet of the reader's language."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import date, time
from typing import IO, Final

from services.registration.exports.tables import Cell, Row
from services.registration.import_files.formulas import harmless
from shared.contract.events import Language

#: Excel reads a file without this mark in the encoding of the machine.
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
#: Excel divides a line at the list separator of Windows, which is the semicolon where numbers have a decimal comma.
_DELIMITERS: Final = {Language.ENGLISH: ","}


class CsvFile:
    """Writes the rows of a table: UTF-8 with its mark, days and times in ISO 8601, no text that is run as a formula."""

    def __init__(self, out: IO[bytes], headings: Sequence[str], language: Language) -> None:
        self._out = out
        self._text = io.StringIO()
        self._writer = csv.writer(self._text, delimiter=_DELIMITERS.get(language, ";"))
        out.write(_BYTE_ORDER_MARK)
        self.add(headings)

    def add(self, row: Row) -> None:
        """Write a row."""
        self._writer.writerow(map(_text_of, row))
        self._out.write(self._text.getvalue().encode())
        self._text.seek(0)
        self._text.truncate()

    def close(self) -> None:
        """Finish the file."""


def _text_of(cell: Cell) -> str:
    if isinstance(cell, str):
        return harmless(cell.replace("\r\n", "\n"))
    if isinstance(cell, time):
        return f"{cell:%H:%M}"
    if isinstance(cell, date):
        return cell.isoformat()
    return "" if cell is None else str(cell)
