"""Rows of an imported file under its column names. Rows that cannot be read are rejected by line and column."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

#: Ten items of a thousand characters, with their separators.
MOST_CELL_CHARACTERS = 12_000
MOST_COLUMNS = 50
#: UTF-8 bytes of the text that a file may hold in its rows. A workbook can repeat one text in every cell.
MOST_TEXT_BYTES = 32 * 1024 * 1024
#: The cell of a formula that was saved without its value.
FORMULA = "="
_ROWS_OF_A_SLICE = 25
_BYTES_OF_A_SLICE = 64 * 1024
_ERROR_VALUES = frozenset({"#N/A", "#NAME?", "#REF!", "#VALUE!", "#DIV/0!", "#NULL!", "#NUM!", "#SPILL!", "#CALC!"})

Cells = Sequence[str]


class UnreadableFile(Exception):
    """The whole file cannot be read; the message says why."""


@dataclass(frozen=True)
class FileLimits:
    """Most rows of a file, and most bytes that a workbook may unpack to."""

    rows: int
    unpacked_bytes: int


@dataclass(frozen=True)
class Columns:
    """Names of the columns that a file must have and may have."""

    required: tuple[str, ...]
    optional: tuple[str, ...]

    def check(self, line: int, header: Sequence[str]) -> None:
        """Raise `UnreadableFile` if a column is missing, unknown or repeated. `line` is the line of the names."""
        missing = [name for name in self.required if name not in header]
        unknown = [name for name in header if name not in self.required + self.optional]
        twice = sorted({name for name in header if header.count(name) > 1})
        wrong = [
            f"{what}: {', '.join(repr(name[:50]) for name in names[:10])}"
            for what, names in (("missing", missing), ("unknown", unknown), ("twice", twice))
            if names
        ]
        if wrong:
            raise UnreadableFile(f"line {line}, the column names; {'; '.join(wrong)}")


@dataclass(frozen=True)
class SheetRow:
    """The cells of a row by column name, and the line of the file on which the row starts."""

    line: int
    cells: dict[str, str]


@dataclass(frozen=True)
class RowRejection:
    """A rejected row: its line, the column at fault (empty if no single column is), and the reason."""

    line: int
    column: str
    reason: str


@dataclass(frozen=True)
class Sheet:
    """The lines of a file in slices that `SheetBuilder` has packed: of 25 rows, or 64 KiB and a row at most."""

    packed: tuple[bytes, ...]

    def slices(self) -> Iterator[list[SheetRow | RowRejection]]:
        """Unpack the slices, in the order of the file."""
        return map(_unpacked, self.packed)


class SheetBuilder:
    """Assigns cells to the column names of the first line with text, and passes on the lines in packed slices.

    Rows without any text are skipped. A slice is JSON: the column names, then the lines. A line is its number with its
    cells, or its number with the column and the reason of a rejection.
    """

    def __init__(self, columns: Columns, limits: FileLimits, take: Callable[[bytes], None]) -> None:
        self._columns = columns
        self._limits = limits
        self._take = take
        self._header: list[str] | None = None
        self._rows = 0
        self._lines: list[tuple[int, Cells] | tuple[int, str, str]] = []
        self._bytes_of_slice = 0
        self._bytes_left = MOST_TEXT_BYTES

    def add(self, line: int, cells: Cells) -> None:
        """Add a line of the file.

        Raises:
            UnreadableFile: not the column names, too many rows, or too much text.
        """
        width = _counted(cells)
        if width == 0:
            return
        if self._header is None:
            self._begin(line, cells[:width])
            return
        self._count_row()
        if width > len(self._header):
            self._reject(line, "", f"{width} cells under {len(self._header)} column names")
        else:
            self._lay(line, self._header, cells[:width])

    def reject(self, line: int, reason: str) -> None:
        """Add a line whose cells cannot be told apart. Raises `UnreadableFile` as `add`."""
        if self._header is None:
            raise UnreadableFile(f"line {line}: {reason}")
        self._count_row()
        self._reject(line, "", reason)

    def end(self) -> None:
        """Pass on the last slice. Raises `UnreadableFile` if there was no line with column names."""
        if self._header is None:
            self._columns.check(1, [])
        self._flush()

    def _begin(self, line: int, cells: Cells) -> None:
        if len(cells) > MOST_COLUMNS:
            raise UnreadableFile(f"line {line}: {len(cells)} column names; at most {MOST_COLUMNS} are taken")
        header = [name.strip().lower() for name in cells]
        self._columns.check(line, header)
        self._header = header

    def _count_row(self) -> None:
        self._rows += 1
        if self._rows > self._limits.rows:
            raise UnreadableFile(f"more than {self._limits.rows} rows: split the file")

    def _lay(self, line: int, header: Sequence[str], cells: Cells) -> None:
        stripped = [cell.strip() for cell in cells] + [""] * (len(header) - len(cells))
        faults = [(name, reason) for name, cell in zip(header, stripped, strict=True) if (reason := _fault_of(cell))]
        if faults:
            for name, reason in faults:
                self._reject(line, name, reason)
        else:
            self._append((line, stripped), stripped)

    def _reject(self, line: int, column: str, reason: str) -> None:
        self._append((line, column, reason), (column, reason))

    def _append(self, entry: tuple[int, Cells] | tuple[int, str, str], texts: Sequence[str]) -> None:
        self._lines.append(entry)
        self._bytes_of_slice += sum(map(len, texts))
        if len(self._lines) >= _ROWS_OF_A_SLICE or self._bytes_of_slice >= _BYTES_OF_A_SLICE:
            self._flush()

    def _flush(self) -> None:
        packed = json.dumps((self._header, self._lines), ensure_ascii=False, separators=(",", ":"))
        encoded = packed.encode()
        self._bytes_left -= len(encoded)
        if self._bytes_left < 0:
            raise UnreadableFile(f"more than {MOST_TEXT_BYTES} bytes of text in its cells: split the file")
        self._take(encoded)
        self._lines, self._bytes_of_slice = [], 0


def _unpacked(packed: bytes) -> list[SheetRow | RowRejection]:
    header, lines = json.loads(packed)
    return [
        RowRejection(line, *rest) if len(rest) > 1 else SheetRow(line, dict(zip(header, rest[0], strict=True)))
        for line, *rest in lines
    ]


def _counted(cells: Cells) -> int:
    """Return the number of a row's cells up to the last text; 0 if there is none."""
    return next((len(cells) - index for index, cell in enumerate(reversed(cells)) if cell.strip()), 0)


def _fault_of(cell: str) -> str:
    if len(cell) > MOST_CELL_CHARACTERS:
        return f"more than {MOST_CELL_CHARACTERS} characters (or a quote is not closed): shorten it"
    if cell.startswith(FORMULA):
        return "a formula: put its value there"
    return f"{cell}, an error of the spreadsheet: put a value there" if cell in _ERROR_VALUES else ""
