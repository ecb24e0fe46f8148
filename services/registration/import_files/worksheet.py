"""Rows of a workbook's sheet, and the things that stand beside its rows: merged cells and links."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from services.registration.import_files.cell_values import CellFormats, SharedTexts, TextPieces, natural
from services.registration.import_files.cells import cleaned, counted
from services.registration.import_files.package import Attributes, Package, PartHandlers, relations_of
from services.registration.import_files.sheet import FORMULA, HEADER_ROWS, MOST_COLUMNS, Cells, UnreadableFile

#: The size of Excel's largest sheet.
_MOST_ROWS = 1_048_576
_MOST_CELLS_OF_A_ROW = 16_384
_COLUMN = re.compile(r"([A-Z]{1,3})\d{1,7}")
_RANGE = re.compile(r"([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})")
_CELL_NAME = re.compile(r"([A-Z]{1,3})(\d{1,7})(?::.*)?")
_SHEET = "/worksheet"
_BODY = f"{_SHEET}/sheetData/row"
_CELL = f"{_BODY}/c"
#: Merged ranges and links that are kept of a sheet.
_MOST_RANGES = 50_000
_LINKED_FIELDS: Final = {"email": "mailto:", "organisation_website": "http", "website": "http"}


def column_of(letters: str) -> int:
    """Return the number of a column, from 1."""
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter) - ord("A") + 1
    return column


class CellReader:
    """Texts of cells by their type and format."""

    def __init__(self, texts: SharedTexts, formats: CellFormats, *, since_1904: bool) -> None:
        self._texts = texts
        self._formats = formats
        self._since_1904 = since_1904

    def value(self, text: str, attributes: Attributes, *, is_formula: bool) -> str:
        """Return the text of a cell as the sheet shows it. Raises `UnreadableFile`."""
        kind = attributes.get("t", "n")
        if not text:
            return FORMULA if is_formula else ""
        if kind == "s":
            return _as_text(self._texts[text])
        if kind == "b":
            return "true" if text == "1" else "false"
        if kind != "n":
            return text if is_formula else _as_text(text)
        return self._formats.shown(text, attributes.get("s", "0"), since_1904=self._since_1904)


def _as_text(text: str) -> str:
    """Return a text that begins as a formula with the apostrophe that a spreadsheet hides: the cell holds a text."""
    return f"'{text}" if text.startswith(FORMULA) else text


class SheetRows:
    """Handlers of a sheet: a row is passed on when it ends."""

    def __init__(self, cells: CellReader, take: Callable[[int, Cells], None]) -> None:
        self._reader = cells
        self._take = take
        self._line = 0
        #: Whether the row is hidden, by hand or by a filter.
        self.is_hidden = False
        self._cells: list[str] = []
        self._cell_count = 0
        self._column = 0
        self._attributes: Attributes = {}
        self._is_formula = False
        self._pieces = TextPieces()
        add = self._pieces.add
        self.handlers = PartHandlers(
            starts={_BODY: self._begin_row, _CELL: self._begin_cell, f"{_CELL}/f": self._note_formula},
            texts={f"{_CELL}/v": add, f"{_CELL}/is/t": add, f"{_CELL}/is/r/t": add},
            ends={_BODY: self._end_row, _CELL: self._end_cell},
        )

    def _begin_row(self, attributes: Attributes) -> None:
        line = _stated(attributes.get("r"), self._line + 1)
        if not self._line < line <= _MOST_ROWS:
            number = attributes.get("r", str(line))[:20]
            raise UnreadableFile(
                f"row {number!r} comes after row {self._line}; rows are numbered upwards, {_MOST_ROWS} at most:"
                " save the file again"
            )
        self._line = line
        self.is_hidden = _is_true(attributes.get("hidden")) or attributes.get("ht") == "0"
        self._cells, self._cell_count, self._column = [], 0, 0

    def _begin_cell(self, attributes: Attributes) -> None:
        self._cell_count += 1
        if self._cell_count > _MOST_CELLS_OF_A_ROW:
            raise UnreadableFile(
                f"more than {_MOST_CELLS_OF_A_ROW} cells in row {self._line}: copy the list into a new workbook"
            )
        self._column = self._column_of(attributes.get("r"))
        self._attributes, self._is_formula = attributes, False

    def _column_of(self, place: str | None) -> int:
        if place is None:
            return self._column + 1
        found = _COLUMN.fullmatch(place)
        column = column_of(found[1]) if found else 0
        if not 1 <= column <= _MOST_CELLS_OF_A_ROW:
            raise UnreadableFile(f"row {self._line}: no sheet has a cell {place[:20]!r}; save the file again")
        return column

    def _note_formula(self, _: Attributes) -> None:
        self._is_formula = True

    def _end_cell(self) -> None:
        text = self._reader.value(self._pieces.take(), self._attributes, is_formula=self._is_formula)
        if not text or self._column > MOST_COLUMNS:
            return
        self._cells += [""] * (self._column - len(self._cells))
        self._cells[self._column - 1] = text

    def _end_row(self) -> None:
        if self._cells:
            self._take(self._line, self._cells)


class SheetLayout:
    """A first look at a sheet: its first rows with text, its last row with text, its merged cells and its links."""

    def __init__(self, cells: CellReader, package: Package, part: str) -> None:
        self.first_rows: list[tuple[int, list[str]]] = []
        self.last_line = 0
        self._targets = _targets(package, part)
        #: The columns, from 0, and the last lines of the merged cells that begin on a line.
        self._merged: dict[int, list[tuple[int, int]]] = {}
        self._ranges = 0
        self._links: dict[tuple[int, int], str] = {}
        #: First and last number, from 1, of hidden columns.
        self._hidden: list[tuple[int, int]] = []
        #: Text and last line of the newest merged cell, by column.
        self._above: dict[int, tuple[str, int]] = {}
        rows = SheetRows(cells, self._note_row)
        starts = {
            **rows.handlers.starts,
            f"{_SHEET}/mergeCells/mergeCell": self._note_merged,
            f"{_SHEET}/hyperlinks/hyperlink": self._note_link,
            f"{_SHEET}/cols/col": self._note_column,
        }
        self.handlers = PartHandlers(starts, rows.handlers.ends, rows.handlers.texts)

    @property
    def first_row(self) -> Cells:
        """The first row with text; empty if there is none."""
        return self.first_rows[0][1] if self.first_rows else ()

    def is_hidden(self, number: int) -> bool:
        """Tell whether a column, counted from 0, is hidden."""
        return any(first <= number + 1 <= last for first, last in self._hidden)

    def completed(self, line: int, cells: Cells, known: Mapping[int, str]) -> Cells:
        """Return a row with the texts of merged cells that begin above it, and with addresses behind texts."""
        row = list(cells)
        if self._merged and counted(row):
            self._fill(line, row)
        for number, name in known.items():
            target = self._links.get((line, number), "")
            scheme = _LINKED_FIELDS.get(name, "")
            if scheme and target.startswith(scheme) and number < len(row):
                sign = "@" if scheme == "mailto:" else "."
                row[number] = row[number] if sign in row[number] else target.removeprefix("mailto:").partition("?")[0]
        return row

    def _fill(self, line: int, row: list[str]) -> None:
        for column, (text, last) in self._above.items():
            if line <= last:
                row += [""] * (column + 1 - len(row))
                row[column] = row[column] or text
        for column, last in self._merged.get(line, ()):
            self._above[column] = (row[column] if column < len(row) else "", last)

    def _note_row(self, line: int, cells: Cells) -> None:
        if not counted(cells):
            return
        self.last_line = line
        if len(self.first_rows) < HEADER_ROWS:
            self.first_rows.append((line, [cleaned(cell) for cell in cells]))

    def _note_merged(self, attributes: Attributes) -> None:
        found = _RANGE.fullmatch(attributes.get("ref", ""))
        if not found or self._ranges >= _MOST_RANGES:
            return
        column, first, last = column_of(found[1]), int(found[2]), int(found[4])
        if last > first and column <= MOST_COLUMNS:
            self._ranges += 1
            self._merged.setdefault(first, []).append((column - 1, last))

    def _note_column(self, attributes: Attributes) -> None:
        first, last = (_stated(attributes.get(name), 0) for name in ("min", "max"))
        is_hidden = _is_true(attributes.get("hidden")) or attributes.get("width") == "0"
        if is_hidden and 1 <= first <= last and len(self._hidden) < MOST_COLUMNS:
            self._hidden.append((first, last))

    def _note_link(self, attributes: Attributes) -> None:
        found = _CELL_NAME.fullmatch(attributes.get("ref", ""))
        relation = next((value for name, value in attributes.items() if name.rpartition(":")[2] == "id"), "")
        target = self._targets.get(relation, "")
        if found and target and len(self._links) < _MOST_RANGES:
            self._links[int(found[2]), column_of(found[1]) - 1] = target


def _targets(package: Package, part: str) -> dict[str, str]:
    """Return the targets of a sheet's links, by the id of their relation."""
    targets: dict[str, str] = {}

    def note(attributes: Attributes) -> None:
        if attributes.get("Type", "").endswith("/hyperlink") and len(targets) < _MOST_RANGES:
            targets[attributes.get("Id", "")] = attributes.get("Target", "")[:500]

    if (relations := relations_of(part)) in package:
        package.read(relations, PartHandlers(starts={"/Relationships/Relationship": note}))
    return targets


def _is_true(text: str | None) -> bool:
    return text in ("1", "true")


def _stated(text: str | None, otherwise: int) -> int:
    """Return a row's number; 0 for a text that is no number."""
    if text is None:
        return otherwise
    try:
        return natural(text)
    except ValueError:
        return 0
