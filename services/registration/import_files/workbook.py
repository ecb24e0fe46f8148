"""Lines of the first sheet of an Excel workbook (ECMA-376). The sheet is never held as a whole."""

from __future__ import annotations

import posixpath
import re

from services.registration.import_files.cell_values import (
    CellFormats,
    SharedTexts,
    TextPieces,
    date_text,
    natural,
    number_text,
)
from services.registration.import_files.package import Attributes, Package, PartHandlers
from services.registration.import_files.sheet import FORMULA, MOST_COLUMNS, FileLimits, SheetBuilder, UnreadableFile

#: The size of Excel's largest sheet.
_MOST_ROWS = 1_048_576
_MOST_CELLS_OF_A_ROW = 16_384
#: Sheets and relations of a workbook.
_MOST_RELATIONS = 10_000
_COLUMN = re.compile(r"([A-Z]{1,3})\d{1,7}")
_BODY = "/worksheet/sheetData/row"
_CELL = f"{_BODY}/c"


def read_xlsx(raw: bytes, limits: FileLimits, sheet: SheetBuilder) -> None:
    """Read the first sheet of an Excel workbook. A formula counts by the value that was saved with it.

    Raises:
        UnreadableFile: no workbook, a part beyond a bound; and the errors of `SheetBuilder`.
    """
    package = Package(raw, limits.unpacked_bytes)
    workbook = _Workbook(package)
    texts, formats = SharedTexts(), CellFormats()
    if workbook.texts in package:
        package.read(workbook.texts, texts.handlers)
    if workbook.formats in package:
        package.read(workbook.formats, formats.handlers)
    rows = _SheetRows(sheet, texts, formats, since_1904=workbook.since_1904)
    package.read(workbook.first_sheet, rows.handlers)
    sheet.end()


class _Relations:
    """The parts that a part refers to: by id and by the last word of their type."""

    def __init__(self, package: Package, source: str) -> None:
        self._folder = posixpath.dirname(source)
        self.by_id: dict[str, tuple[str, str]] = {}
        self.by_type: dict[str, str] = {}
        name = posixpath.join(self._folder, "_rels", f"{posixpath.basename(source)}.rels")
        package.read(name, PartHandlers(starts={"/Relationships/Relationship": self._add}))

    def _add(self, attributes: Attributes) -> None:
        kind = attributes.get("Type", "").rpartition("/")[2]
        target = posixpath.normpath(posixpath.join("/", self._folder, attributes.get("Target", ""))).lstrip("/")
        self.by_id[attributes.get("Id", "")] = kind, target
        self.by_type.setdefault(kind, target)
        if len(self.by_id) > _MOST_RELATIONS:
            raise UnreadableFile(f"not a workbook that is read here: more than {_MOST_RELATIONS} relations")


class _Workbook:
    """Names of the parts that are read, and the calendar of the dates."""

    def __init__(self, package: Package) -> None:
        self.since_1904 = False
        self._sheets: list[str] = []
        name = _Relations(package, "").by_type.get("officeDocument", "xl/workbook.xml")
        relations = _Relations(package, name)
        self.texts = relations.by_type.get("sharedStrings", "")
        self.formats = relations.by_type.get("styles", "")
        starts = {"/workbook/workbookPr": self._set_calendar, "/workbook/sheets/sheet": self._add_sheet}
        package.read(name, PartHandlers(starts=starts))
        sheets = (relations.by_id.get(relation, ("", "")) for relation in self._sheets)
        self.first_sheet = next((part for kind, part in sheets if kind == "worksheet"), "")
        if not self.first_sheet:
            raise UnreadableFile("a workbook without a sheet of cells")

    def _set_calendar(self, attributes: Attributes) -> None:
        self.since_1904 = attributes.get("date1904", "") in ("1", "true")

    def _add_sheet(self, attributes: Attributes) -> None:
        relation = next((value for name, value in attributes.items() if name.rpartition(":")[2] == "id"), "")
        self._sheets.append(relation)
        if len(self._sheets) > _MOST_RELATIONS:
            raise UnreadableFile(f"a workbook of more than {_MOST_RELATIONS} sheets; the first is read")


class _SheetRows:
    """Handlers of a sheet: a row is passed on when it ends."""

    def __init__(self, sheet: SheetBuilder, texts: SharedTexts, formats: CellFormats, *, since_1904: bool) -> None:
        self._sheet = sheet
        self._texts = texts
        self._formats = formats
        self._since_1904 = since_1904
        self._line = 0
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
        column = 0
        for letter in found[1] if found else "":
            column = column * 26 + ord(letter) - ord("A") + 1
        if not 1 <= column <= _MOST_CELLS_OF_A_ROW:
            raise UnreadableFile(f"row {self._line}: no sheet has a cell {place[:20]!r}; save the file again")
        return column

    def _note_formula(self, _: Attributes) -> None:
        self._is_formula = True

    def _end_cell(self) -> None:
        text = self._value(self._pieces.take())
        if not text:
            return
        if self._column > MOST_COLUMNS:
            text = text[:1]  # enough to reject the row: no column can have a name there
        self._cells += [""] * (self._column - len(self._cells))
        self._cells[self._column - 1] = text

    def _value(self, text: str) -> str:
        kind = self._attributes.get("t", "n")
        if not text:
            return FORMULA if self._is_formula else ""
        if kind == "s":
            return self._texts[text]
        if kind == "b":
            return "true" if text == "1" else "false"
        if kind != "n":
            return text
        if self._formats.is_date(self._attributes.get("s", "0")):
            return date_text(text, since_1904=self._since_1904)
        return number_text(text)

    def _end_row(self) -> None:
        if self._cells:
            self._sheet.add(self._line, self._cells)


def _stated(text: str | None, otherwise: int) -> int:
    """Return a row's number; 0 for a text that is no number."""
    if text is None:
        return otherwise
    try:
        return natural(text)
    except ValueError:
        return 0
