"""The list of an Excel workbook (ECMA-376): the sheet whose headings fit best. No sheet is held as a whole."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from services.registration.import_files.cell_values import CellFormats, SharedTexts
from services.registration.import_files.found_table import FoundTable
from services.registration.import_files.headings import FieldVocabulary, ListHeader, find_header
from services.registration.import_files.package import Attributes, Package, PartHandlers, relations_of
from services.registration.import_files.sheet import (
    Cells,
    FileLimits,
    SheetBuilder,
    UnreadableFile,
    check_header,
)
from services.registration.import_files.worksheet import CellReader, SheetLayout, SheetRows

#: Sheets and relations of a workbook.
_MOST_RELATIONS = 10_000
#: Sheets in which a list is sought, and names of sheets that an answer lists.
_MOST_SHEETS = 100
_HIDDEN = ("hidden", "veryHidden")


def read_xlsx(
    raw: bytes,
    vocabulary: FieldVocabulary,
    limits: FileLimits,
    take: Callable[[bytes], None],
    found: Callable[[FoundTable], None],
    *,
    sheet_name: str = "",
    with_hidden: bool = False,
    keep: Callable[[bytes], None] | None = None,
) -> None:
    """Read the list of a workbook: its slices go to `take`, its place to `found`, and whole rows to `keep`.

    A formula counts by the value that was saved with it. `sheet_name` names the sheet; empty: the best. Hidden rows are
    counted and left, unless `with_hidden`.

    Raises:
        UnreadableFile: no workbook, no such sheet, a part beyond a bound; and the errors of `SheetBuilder`.
    """
    package = Package(raw, limits.unpacked_bytes)
    workbook = _Workbook(package)
    texts, formats = SharedTexts(), CellFormats()
    if workbook.texts in package:
        package.read(workbook.texts, texts.handlers)
    if workbook.formats in package:
        package.read(workbook.formats, formats.handlers)
    cells = CellReader(texts, formats, since_1904=workbook.since_1904)
    candidates = [_look(package, sheet, cells, vocabulary) for sheet in workbook.candidates(sheet_name)]
    chosen = max(candidates, key=lambda candidate: candidate.score)
    if not chosen.has_list and not sheet_name:
        _refuse_hidden_list(_look(package, sheet, cells, vocabulary) for sheet in workbook.hidden())
    header = check_header(chosen.header, chosen.layout.first_row)
    builder = SheetBuilder(header, vocabulary, limits, take, must_fit=False, keep=keep)
    known = {column.number: column.field for column in header.known}

    def add(line: int, row: Cells) -> None:
        completed = chosen.layout.completed(line, row, known)
        if rows.is_hidden and not with_hidden:
            builder.leave_hidden(line, completed)
        else:
            builder.add(line, completed)

    rows = SheetRows(cells, add)
    package.read(chosen.sheet.part, rows.handlers)
    builder.end()
    table = FoundTable.of(
        header,
        sheet=chosen.sheet.name,
        other_sheets=tuple(sheet.name for sheet in workbook.sheets if sheet is not chosen.sheet)[:_MOST_SHEETS],
        other_lists=tuple(other.sheet.name for other in candidates if other is not chosen and other.has_list),
        hidden_columns=tuple(column.heading for column in header.known if chosen.layout.is_hidden(column.number)),
    )
    found(builder.completed(table))


@dataclass(frozen=True)
class _WorkbookSheet:
    """A sheet of cells: its name, its part, and its visibility."""

    name: str
    part: str
    is_hidden: bool = False


@dataclass(frozen=True)
class _Candidate:
    """A sheet with the headings that were found in it."""

    sheet: _WorkbookSheet
    layout: SheetLayout
    header: ListHeader | None

    @property
    def has_list(self) -> bool:
        """Presence of all needed headings, and of rows below them."""
        return bool(self.header and not self.header.missing and self.layout.last_line > self.header.line)

    @property
    def score(self) -> tuple[bool, int, bool]:
        """Order of candidates: complete headings first, then most fields, then a list that is not empty."""
        complete, fields = self.header.score if self.header else (False, 0)
        return complete, fields, bool(self.header and self.layout.last_line > self.header.line)


def _look(package: Package, sheet: _WorkbookSheet, cells: CellReader, vocabulary: FieldVocabulary) -> _Candidate:
    layout = SheetLayout(cells, package, sheet.part)
    package.read(sheet.part, layout.handlers)
    return _Candidate(sheet, layout, find_header(layout.first_rows, vocabulary))


def _refuse_hidden_list(candidates: Iterable[_Candidate]) -> None:
    """Raise `UnreadableFile` if a sheet of these, which are hidden, has a list."""
    for candidate in candidates:
        if candidate.has_list:
            name = candidate.sheet.name[:50]
            raise UnreadableFile(f"the list is on the hidden sheet {name!r}: show the sheet, or name it (sheet={name})")


class _Relations:
    """The parts that a part refers to: by id and by the last word of their type."""

    def __init__(self, package: Package, source: str) -> None:
        self._folder = posixpath.dirname(source)
        self.by_id: dict[str, tuple[str, str]] = {}
        self.by_type: dict[str, str] = {}
        package.read(relations_of(source), PartHandlers(starts={"/Relationships/Relationship": self._add}))

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
        self._entries: list[tuple[str, str, bool]] = []
        name = _Relations(package, "").by_type.get("officeDocument", "xl/workbook.xml")
        relations = _Relations(package, name)
        self.texts = relations.by_type.get("sharedStrings", "")
        self.formats = relations.by_type.get("styles", "")
        starts = {"/workbook/workbookPr": self._set_calendar, "/workbook/sheets/sheet": self._add_sheet}
        package.read(name, PartHandlers(starts=starts))
        self.sheets = list(self._sheets_of_cells(relations))
        if not self.sheets:
            raise UnreadableFile("a workbook without a sheet of cells")

    def candidates(self, name: str) -> list[_WorkbookSheet]:
        """List the sheets among which the list is sought: that of a name, or all that are not hidden."""
        if name:
            wanted = [sheet for sheet in self.sheets if sheet.name.strip().casefold() == name.strip().casefold()]
            if not wanted:
                names = ", ".join(repr(sheet.name) for sheet in self.sheets[:_MOST_SHEETS])
                raise UnreadableFile(f"no sheet is named {name[:50]!r}; there are {names}")
            return wanted[:1]
        return [sheet for sheet in self.sheets if not sheet.is_hidden][:_MOST_SHEETS] or self.sheets[:1]

    def hidden(self) -> list[_WorkbookSheet]:
        """List the hidden sheets."""
        return [sheet for sheet in self.sheets if sheet.is_hidden][:_MOST_SHEETS]

    def _sheets_of_cells(self, relations: _Relations) -> Iterator[_WorkbookSheet]:
        for name, relation, is_hidden in self._entries:
            kind, part = relations.by_id.get(relation, ("", ""))
            if kind == "worksheet":
                yield _WorkbookSheet(name, part, is_hidden)

    def _set_calendar(self, attributes: Attributes) -> None:
        self.since_1904 = attributes.get("date1904", "") in ("1", "true")

    def _add_sheet(self, attributes: Attributes) -> None:
        relation = next((value for name, value in attributes.items() if name.rpartition(":")[2] == "id"), "")
        self._entries.append((attributes.get("name", "")[:100], relation, attributes.get("state", "") in _HIDDEN))
        if len(self._entries) > _MOST_RELATIONS:
            raise UnreadableFile(f"a workbook of more than {_MOST_RELATIONS} sheets: copy the list into a new workbook")
