"""A table as an Excel workbook, written row by row: the rows wait in a temporary file, not in memory."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, time
from typing import IO, Any, Final

import xlsxwriter

from services.registration.exports.tables import Cell, Row
from services.registration.import_files.formulas import is_formula
from services.registration.import_files.headings import letter_of

_OPTIONS: Final = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_numbers": False,
    "strings_to_urls": False,
}
_LONGEST_SHEET_NAME: Final = 31
_NARROWEST, _WIDEST = 12, 40
#: Longest text of a cell in Excel.
_MOST_CHARACTERS: Final = 32_767


class WorkbookFile:
    """Writes the rows of a table into the only sheet of a workbook.

    Texts stay texts: a text that begins as a formula has the format of a quoted text, as if typed with an apostrophe.
    """

    def __init__(self, out: IO[bytes], headings: Sequence[str], title: str) -> None:
        self._book: Any = xlsxwriter.Workbook(out, _OPTIONS)
        self.sheet: Any = self._book.add_worksheet(title[:_LONGEST_SHEET_NAME])
        self._quoted = self._book.add_format({"quote_prefix": True})
        self._day = self._book.add_format({"num_format": "yyyy-mm-dd"})
        self._time = self._book.add_format({"num_format": "hh:mm"})
        self._rows = 0
        self._choices: Any = None
        self._offered = 0
        self._width = len(headings)
        for number, heading in enumerate(headings):
            self.sheet.set_column(number, number, min(_WIDEST, max(_NARROWEST, len(heading) + 2)))
        self.sheet.freeze_panes(1, 0)
        bold = self._book.add_format({"bold": True})
        for number, heading in enumerate(headings):
            if heading:
                self.sheet.write_string(0, number, heading, bold)

    def add(self, row: Row) -> None:
        """Write a row."""
        self._rows += 1
        for number, cell in enumerate(row):
            self._write(number, cell)

    def offer(self, column: int, choices: Sequence[str], rows: int) -> None:
        """Offer values in the cells of a column, and refuse no further value. They stand in a hidden sheet."""
        if self._choices is None:
            self._choices = self._book.add_worksheet("_")
            self._choices.hide()
        number = self._offered
        self._offered += 1
        # Rows are written in their order: a row of this sheet holds the values of a column.
        for place, choice in enumerate(choices):
            self._choices.write_string(number, place, choice)
        last = letter_of(len(choices) - 1)
        self.sheet.data_validation(
            1,
            column,
            rows,
            column,
            {"validate": "list", "source": f"=_!$A${number + 1}:${last}${number + 1}", "show_error": False},
        )

    def close(self) -> None:
        """Finish the file: the parts are compressed here, which takes a second for 10,000 rows."""
        self.sheet.autofilter(0, 0, self._rows, max(0, self._width - 1))
        self._book.close()

    def _write(self, column: int, cell: Cell) -> None:
        place = (self._rows, column)
        if isinstance(cell, str):
            text = cell.replace("\r\n", "\n")[:_MOST_CHARACTERS]
            if text:
                self.sheet.write_string(*place, text, self._quoted if is_formula(text) else None)
        elif isinstance(cell, time):
            self.sheet.write_datetime(*place, cell, self._time)
        elif isinstance(cell, date):
            self.sheet.write_datetime(*place, cell, self._day)
        elif cell is not None:
            self.sheet.write_number(*place, cell)
