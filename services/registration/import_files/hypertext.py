"""The tables of an HTML file, as websites export them under the name of a workbook (.xls)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from html.parser import HTMLParser
from typing import Final

from services.registration.import_files.cells import cleaned, counted
from services.registration.import_files.encoding import encoding_of
from services.registration.import_files.found_table import FoundTable
from services.registration.import_files.headings import FieldVocabulary, find_header
from services.registration.import_files.sheet import HEADER_ROWS, FileLimits, SheetBuilder, UnreadableFile, check_header

_CHARSET: Final = re.compile(rb"charset\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)
_BEGINNING_BYTES: Final = 4096
_MOST_SPAN: Final = 1000
_BREAKS: Final = frozenset({"br", "p", "div", "li"})
_IGNORED: Final = frozenset({"style", "script", "head", "title"})


def read_hypertext(
    raw: bytes,
    vocabulary: FieldVocabulary,
    limits: FileLimits,
    take: Callable[[bytes], None],
    found: Callable[[FoundTable], None],
    *,
    keep: Callable[[bytes], None] | None = None,
) -> None:
    """Read the rows of all tables as a list: its slices go to `take`, its place to `found`, and whole rows to `keep`.

    Raises:
        UnreadableFile: no table, or no headings of this kind; and the errors of `SheetBuilder`.
    """
    encoding = _encoding(raw)
    parser = _TableParser()
    parser.feed(raw.decode(encoding, "replace"))
    parser.end_row()
    if not parser.rows:
        raise UnreadableFile("HTML without a table: send the list as CSV or .xlsx")
    rows = [(line, row) for line, row in enumerate(parser.rows, 1) if counted(row)]
    first = [(line, [cleaned(cell) for cell in row]) for line, row in rows[:HEADER_ROWS]]
    header = check_header(find_header(first, vocabulary), first[0][1] if first else [])
    sheet = SheetBuilder(header, vocabulary, limits, take, must_fit=False, keep=keep)
    for line, row in rows:
        sheet.add(line, row)
    sheet.end()
    found(sheet.completed(FoundTable.of(header, encoding=encoding)))


def _encoding(raw: bytes) -> str:
    """Return the encoding that the file names, if its bytes are text in it; else the detected encoding."""
    if stated := _CHARSET.search(raw[:_BEGINNING_BYTES]):
        name = stated[1].decode().lower()
        encoding = "cp1252" if name in ("iso-8859-1", "latin1") else name
        try:
            raw.decode(encoding)
        except (LookupError, UnicodeDecodeError):
            return encoding_of(raw)
        return encoding
    return encoding_of(raw)


class _TableParser(HTMLParser):
    """Collects the rows of tables. End tags may be missing; a cell over several rows gives its text to all of them."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.rows: list[list[str]] = []
        self._row: list[str] | None = None
        self._cell: list[str] | None = None
        self._columns = 1
        self._rows_left = 1
        #: Texts of cells that reach into the rows below: the column, the text, and the number of rows.
        self._spanning: dict[int, tuple[str, int]] = {}
        self._ignored = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag in _IGNORED:
            self._ignored += 1
        elif tag == "tr":
            self.end_row()
            self._row = []
        elif tag in ("td", "th"):
            self._begin_cell(attributes)
        elif tag in _BREAKS and self._cell:
            self._cell.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _IGNORED:
            self._ignored = max(0, self._ignored - 1)
        elif tag in ("td", "th"):
            self._end_cell()
        elif tag in ("tr", "table"):
            self.end_row()

    def handle_data(self, data: str) -> None:
        if self._cell is not None and not self._ignored:
            self._cell.append(re.sub(r"[ \t\r\n]+", " ", data))

    def end_row(self) -> None:
        """End the row, if there is any."""
        self._end_cell()
        if self._row is not None:
            self._fill_spans(len(self._row))
            self.rows.append(self._row)
            self._row = None

    def _begin_cell(self, attributes: Mapping[str, str]) -> None:
        self._end_cell()
        self._ignored = 0
        if self._row is None:
            self._row = []
        self._cell = []
        self._columns, self._rows_left = (_span(attributes.get(name, "")) for name in ("colspan", "rowspan"))

    def _end_cell(self) -> None:
        if self._cell is None or self._row is None:
            return
        self._fill_spans(len(self._row))
        text = "".join(self._cell).strip()
        if self._rows_left > 1:
            self._spanning[len(self._row)] = text, self._rows_left - 1
        self._row += [text, *[""] * (self._columns - 1)]
        self._cell = None

    def _fill_spans(self, column: int) -> None:
        """Add the texts of cells above that reach into this column and the columns behind it."""
        assert self._row is not None  # noqa: S101 - only a row is filled
        while column in self._spanning and column == len(self._row):
            text, left = self._spanning.pop(column)
            if left > 1:
                self._spanning[column] = text, left - 1
            self._row.append(text)
            column += 1


def _span(text: str) -> int:
    return max(1, min(int(text), _MOST_SPAN)) if text.isdecimal() and len(text) <= 4 else 1  # noqa: PLR2004
