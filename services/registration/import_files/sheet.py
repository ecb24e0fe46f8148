"""Rows of an imported file by field. Rows that cannot be read are rejected by line and column."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from services.registration.import_files.cells import cleaned, counted
from services.registration.import_files.error_values import is_error_value
from services.registration.import_files.formulas import is_escaped
from services.registration.import_files.found_table import FoundTable
from services.registration.import_files.headings import RANK_OF_MARKS, FieldVocabulary, ListHeader
from services.registration.import_files.no_entries import is_example, is_no_entry

#: Ten items of a thousand characters, with their separators.
MOST_CELL_CHARACTERS = 12_000
#: Columns that may have a heading.
MOST_COLUMNS = 1_000
#: Rows with text among which the headings are sought.
HEADER_ROWS = 50
#: UTF-8 bytes of the text that a file may hold in its rows. A workbook can repeat one text in every cell.
MOST_TEXT_BYTES = 32 * 1024 * 1024
#: The cell of a formula that was saved without its value.
FORMULA = "="
_ROWS_OF_A_SLICE = 25
_BYTES_OF_A_SLICE = 64 * 1024
_MOST_REASON_NAMES = 30
_COMMA_NAME: Final = re.compile(r"[^,\d]+,[^,\d]+")  # Ruiz, Ana


class NumberCell(str):
    """The text of a cell that the spreadsheet keeps as a number."""

    __slots__ = ()
    KIND = "number"


class DateCell(str):
    """The text of a cell that the spreadsheet keeps as a date or a time."""

    __slots__ = ()
    KIND = "date"


Cells = Sequence[str]


class UnreadableFile(Exception):
    """The whole file cannot be read; the message says why."""


@dataclass(frozen=True)
class FileLimits:
    """Most rows of a file, and most bytes that a workbook may unpack to."""

    rows: int
    unpacked_bytes: int


@dataclass(frozen=True)
class SheetRow:
    """The cells of a row by field, and the line of the file on which the row starts.

    `kinds` tells which cells the spreadsheet keeps as a `number` or a `date`, `errors` the cells that are left out
    because the spreadsheet has no value there: the reason is an error or a formula that was not computed.
    """

    line: int
    cells: dict[str, str]
    kinds: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RowRejection:
    """A rejected row: its line, column and cell (empty if no single column is at fault), and the reason."""

    line: int
    column: str
    reason: str
    cell: str = ""


@dataclass(frozen=True)
class Sheet:
    """The lines of a file in slices that `SheetBuilder` has packed: of 25 rows, or 64 KiB and a row at most."""

    packed: tuple[bytes, ...]
    found: FoundTable = field(default_factory=FoundTable)
    #: Slices of the rows with all their cells, for a marked copy; empty unless they were asked for.
    whole: tuple[bytes, ...] = ()

    def whole_rows(self) -> Iterator[tuple[int, list[str]]]:
        """Unpack the rows with all their cells: the line, and the cells from the first column on."""
        for packed in self.whole:
            for line, cells in json.loads(packed):
                yield line, [NumberCell(cell[0]) if isinstance(cell, list) else cell for cell in cells]

    def slices(self) -> Iterator[list[SheetRow | RowRejection]]:
        """Unpack the slices, in the order of the file."""
        return map(_unpacked, self.packed)


def check_header(header: ListHeader | None, seen: Cells) -> ListHeader:
    """Return a header that names all required fields. `seen` is the first row with text, for the message.

    Raises:
        UnreadableFile: no row of the file holds these headings.
    """
    if header is None or header.missing:
        missing = ", ".join(header.missing) if header else "all"
        line = f"line {header.line} has the headings" if header else "the first line with text is"
        shown = [column.heading for column in header.columns] if header else [cell for cell in seen if cell.strip()]
        names = ", ".join(repr(name[:50]) for name in shown[:_MOST_REASON_NAMES]) or "empty"
        raise UnreadableFile(
            f"no row with the needed headings; missing: {missing}. {line} {names}: name the columns as in the template,"
            " or send mapping={heading: field}"
        )
    if len(header.columns) > MOST_COLUMNS:
        raise UnreadableFile(f"line {header.line}: {len(header.columns)} headings; at most {MOST_COLUMNS} are taken")
    return header


class SheetBuilder:
    """Assigns the cells below a header to fields, and passes on the lines in packed slices.

    Rows without any text, and repeats of the header, are skipped. A slice is JSON: the lines. A line is its number with
    its cells and their kinds by field, or its number with null, the column and the reason of a rejection.
    """

    def __init__(
        self,
        header: ListHeader,
        vocabulary: FieldVocabulary,
        limits: FileLimits,
        take: Callable[[bytes], None],
        *,
        must_fit: bool = True,
        keep: Callable[[bytes], None] | None = None,
    ) -> None:
        """Begin below a header. With `must_fit` a row with more cells than the header is rejected.

        `keep` takes slices of the rows with all their cells.
        """
        self._kept = WholeRows(keep) if keep else None
        self._line = header.line
        self._width = header.width if must_fit else 0
        self._headings = {column.number: column.heading for column in header.known}
        self._is_many = {column.field: vocabulary.is_many(column.field) for column in header.known}
        self._columns = sorted((column.rank, column.number, column.field) for column in header.known)
        self._required = {name: group for group in vocabulary.required for name in group}
        self._limits = limits
        self._take = take
        self._rows = 0
        #: Lines of hidden rows that are left, and lines of totals and notes.
        self._hidden: list[int] = []
        self._no_entries: list[int] = []
        #: Numbers of names, with and without a comma.
        self._names: Counter[bool] = Counter()
        self._lines: list[Sequence[object]] = []
        self._bytes_of_slice = 0
        self._bytes_left = MOST_TEXT_BYTES

    def add(self, line: int, cells: Cells) -> None:
        """Add a line of the file.

        Raises:
            UnreadableFile: too many rows, or too much text.
        """
        width = counted(cells)
        if not self._is_row(line, cells):
            return
        self._count_row()
        if self._kept:
            self._kept.add(line, cells[:width])
        if self._width and width > self._width:
            self._reject(line, "", f"{width} cells under {self._width} headings: put a cell with separators in quotes")
        else:
            self._lay(line, cells)

    def leave_hidden(self, line: int, cells: Cells) -> None:
        """Note a hidden row that is not read."""
        if self._is_row(line, cells):
            self._hidden.append(line)

    def _is_row(self, line: int, cells: Cells) -> bool:
        if counted(cells) == 0 or line <= self._line or self._is_header(cells) or is_example(cells):
            return False
        if is_no_entry(cells):
            self._no_entries.append(line)
            return False
        return True

    def reject(self, line: int, reason: str) -> None:
        """Add a line whose cells cannot be told apart. Raises `UnreadableFile` as `add`."""
        self._count_row()
        self._reject(line, "", reason)

    def end(self) -> None:
        """Pass on the last slices. Raises `UnreadableFile` as `add`."""
        self._flush()
        if self._kept:
            self._kept.flush()

    def completed(self, table: FoundTable) -> FoundTable:
        """Return the place of the list with what its rows tell."""
        family_first = self._names[True] > self._names[False]
        return table.with_rows(hidden=self._hidden, no_entries=self._no_entries, family_first=family_first)

    def _is_header(self, cells: Cells) -> bool:
        """Tell whether a row repeats the headings, as the pages of a printed list do."""
        repeated = [
            cells[number].strip() == heading for number, heading in self._headings.items() if number < len(cells)
        ]
        return len(repeated) > 1 and all(repeated)

    def _count_row(self) -> None:
        self._rows += 1
        if self._rows > self._limits.rows:
            raise UnreadableFile(f"more than {self._limits.rows} rows: split the file")

    def _lay(self, line: int, cells: Cells) -> None:
        laid: dict[str, str] = {}
        kinds: dict[str, str] = {}
        faults, errors = [], {}
        for rank, number, name in self._columns:
            cell = cells[number] if number < len(cells) else ""
            text = self._text(rank, number, cell)
            if missing := _missing_value(text, is_escaped=is_escaped(cell.strip())):
                errors[name] = missing, self._headings[number]
            elif reason := _fault_of(text):
                faults.append((self._headings[number], reason))
            elif not laid.get(name):
                laid[name] = text
                if isinstance(cell, NumberCell | DateCell):
                    kinds[name] = cell.KIND
            elif text and self._is_many[name]:
                laid[name] += f"\n{text}"
        errors = {name: error for name, error in errors.items() if not laid.get(name)}
        faults += self._needed(errors, laid)
        for heading, reason in faults:
            self._reject(line, heading, reason)
        if person := laid.get("full_name") or laid.get("name"):
            self._names[_COMMA_NAME.fullmatch(person) is not None] += 1
        if not faults and any(laid.values()):
            left = {name: text for name, (text, _) in errors.items()}
            entry = (line, laid, kinds, left) if left else (line, laid, kinds) if kinds else (line, laid)
            self._append(entry, laid.values())

    def _text(self, rank: int, number: int, cell: str) -> str:
        """Return the text of a cell; a mark with the heading above it."""
        text = cleaned(cell)
        return f"{self._headings[number]}\t{text}" if text and rank == RANK_OF_MARKS else text

    def _needed(self, errors: Mapping[str, tuple[str, str]], laid: dict[str, str]) -> list[tuple[str, str]]:
        """List the errors in cells that are needed. A cell that is not needed is left out, as if it had no column."""
        faults = []
        for name, (text, heading) in errors.items():
            laid.pop(name, None)
            group = self._required.get(name, ())
            if group and not any(laid.get(other) for other in group):
                faults.append((heading, f"{text}: write the value itself there"))
        return faults

    def _reject(self, line: int, column: str, reason: str) -> None:
        self._append((line, None, column, reason), (column, reason))

    def _append(self, entry: Sequence[object], texts: Any) -> None:  # noqa: ANN401 - any collection of texts
        self._lines.append(entry)
        self._bytes_of_slice += sum(map(len, texts))
        if len(self._lines) >= _ROWS_OF_A_SLICE or self._bytes_of_slice >= _BYTES_OF_A_SLICE:
            self._flush()

    def _flush(self) -> None:
        encoded = json.dumps(self._lines, ensure_ascii=False, separators=(",", ":")).encode()
        self._bytes_left -= len(encoded)
        if self._bytes_left < 0:
            raise UnreadableFile(f"more than {MOST_TEXT_BYTES} bytes of text in its cells: split the file")
        self._take(encoded)
        self._lines, self._bytes_of_slice = [], 0


class WholeRows:
    """Packs rows with all their cells into slices, for a marked copy. A number is a list with its text."""

    def __init__(self, take: Callable[[bytes], None]) -> None:
        self._take = take
        self._rows: list[Sequence[object]] = []
        self._bytes_left = MOST_TEXT_BYTES

    def add(self, line: int, cells: Cells) -> None:
        """Add a row. Raises `UnreadableFile` if all rows have too much text."""
        # A formula without its value would become a text in the copy.
        texts = ["" if _is_formula(cell) else cell[:MOST_CELL_CHARACTERS] for cell in cells[:MOST_COLUMNS]]
        numbers = [isinstance(cell, NumberCell) for cell in cells[:MOST_COLUMNS]]
        self._rows.append((line, [[text] if kind else text for text, kind in zip(texts, numbers, strict=True)]))
        if len(self._rows) >= _ROWS_OF_A_SLICE:
            self.flush()

    def flush(self) -> None:
        """Pass on the rows so far. Raises `UnreadableFile` as `add`."""
        encoded = json.dumps(self._rows, ensure_ascii=False, separators=(",", ":")).encode()
        self._bytes_left -= len(encoded)
        if self._bytes_left < 0:
            raise UnreadableFile(f"more than {MOST_TEXT_BYTES} bytes of text in all columns: no marked copy is made")
        self._take(encoded)
        self._rows = []


def _unpacked(packed: bytes) -> list[SheetRow | RowRejection]:
    return [
        RowRejection(line, *rest) if cells is None else SheetRow(line, cells, *rest)
        for line, cells, *rest in json.loads(packed)
    ]


def _is_formula(cell: str) -> bool:
    return cleaned(cell).startswith(FORMULA) and not is_escaped(cell.strip())


def _fault_of(cell: str) -> str:
    if len(cell) > MOST_CELL_CHARACTERS:
        return f"more than {MOST_CELL_CHARACTERS} characters (or a quote is not closed): shorten it"
    return ""


def _missing_value(cell: str, *, is_escaped: bool) -> str:
    """Return the reason for which a spreadsheet shows no value in a cell; empty for a value."""
    if is_error_value(cell):
        return f"{cell}, an error of the spreadsheet"
    if cell.startswith(FORMULA) and not is_escaped:
        return f"{cell[:50]!r}, a formula without a value"
    return ""
