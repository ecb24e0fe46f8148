"""Rows of CSV and XLSX files. Unreadable rows are rejected by line and column; all other rows are returned."""

from __future__ import annotations

import csv
import io
import warnings
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

#: Ten items of a thousand characters, with their separators.
MOST_CELL_CHARACTERS = 12_000
_MOST_COLUMNS = 50
_MOST_PARTS = 1000
_FORMULA = "a formula: put its value there"

Cells = list[str]


class UnreadableFile(Exception):
    """The whole file cannot be read; the message says why."""


@dataclass(frozen=True)
class Columns:
    """Names of the columns that a file must have and may have."""

    required: tuple[str, ...]
    optional: tuple[str, ...]

    def check(self, header: Sequence[str]) -> None:
        """Raise `UnreadableFile` if a column is missing, unknown or repeated."""
        missing = [name for name in self.required if name not in header]
        unknown = [name for name in header if name not in self.required + self.optional]
        twice = sorted({name for name in header if header.count(name) > 1})
        wrong = [
            f"{what}: {', '.join(repr(name[:50]) for name in names[:10])}"
            for what, names in (("missing", missing), ("unknown", unknown), ("twice", twice))
            if names
        ]
        if wrong:
            raise UnreadableFile(f"line 1, the column names; {'; '.join(wrong)}")


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


@dataclass
class Sheet:
    """The readable rows of a file, and its rejected rows."""

    rows: list[SheetRow] = field(default_factory=list)
    rejected: list[RowRejection] = field(default_factory=list)


@dataclass(frozen=True)
class FileLimits:
    """Most rows of a file, and most bytes that a workbook may unpack to."""

    rows: int
    unpacked_bytes: int


def read_csv(raw: bytes, columns: Columns, limits: FileLimits) -> Sheet:
    """Read a CSV file: UTF-8 with or without a byte order mark, `;` or `,` between the cells (RFC 4180).

    Raises:
        UnreadableFile: not UTF-8, not these columns, or too many rows.
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableFile(f"not UTF-8: byte {error.start} is not; save the file as CSV UTF-8") from None
    first, _, _ = text.partition("\n")
    delimiter = ";" if first.count(";") > first.count(",") else ","
    return _sheet(_csv_lines(text, delimiter), columns, limits)


def read_xlsx(raw: bytes, columns: Columns, limits: FileLimits) -> Sheet:
    """Read the first sheet of an Excel workbook.

    Raises:
        UnreadableFile: no workbook, a workbook that unpacks to too much, not these columns, or too many rows.
    """
    _check_unpacked_size(raw, limits.unpacked_bytes)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl warns about styles and extensions, which are not read
        return _unless_broken(lambda: _sheet(_xlsx_lines(raw, limits.rows), columns, limits))


def _unless_broken(read: Callable[[], Sheet]) -> Sheet:
    try:
        return read()
    except UnreadableFile:
        raise
    except Exception as error:  # noqa: BLE001 - openpyxl raises many kinds of errors on broken files
        raise UnreadableFile(f"not a readable Excel workbook ({type(error).__name__})") from None


_Line = tuple[int, Cells | RowRejection]


def _sheet(lines: Iterator[_Line], columns: Columns, limits: FileLimits) -> Sheet:
    """Assign cells to the column names of the first line. Rows without any text are skipped."""
    _, first = next(lines, (1, []))
    if isinstance(first, RowRejection):
        raise UnreadableFile(f"line 1: {first.reason}")
    header = [name.strip().lower() for name in first]
    columns.check(header)
    sheet = Sheet()
    for count, (line, cells) in enumerate(lines, start=1):
        if count > limits.rows:
            raise UnreadableFile(f"more than {limits.rows} rows: split the file")
        if isinstance(cells, RowRejection):
            sheet.rejected.append(cells)
        elif any(cell.strip() for cell in cells):
            _lay(sheet, line, header, cells)
    return sheet


def _lay(sheet: Sheet, line: int, header: Sequence[str], cells: Cells) -> None:
    if len(cells) > len(header) and any(cell.strip() for cell in cells[len(header) :]):
        sheet.rejected.append(RowRejection(line, "", f"{len(cells)} cells under {len(header)} column names"))
        return
    padded = [*cells, *[""] * (len(header) - len(cells))]
    named = {name: cell.strip() for name, cell in zip(header, padded, strict=False)}
    faults = [
        RowRejection(line, name, reason) for name, cell in named.items() for reason in [_fault_of(cell)] if reason
    ]
    if faults:
        sheet.rejected.extend(faults)
    else:
        sheet.rows.append(SheetRow(line, named))


def _fault_of(cell: str) -> str:
    if len(cell) > MOST_CELL_CHARACTERS:
        return f"{len(cell)} characters; at most {MOST_CELL_CHARACTERS} are taken (or a quote is not closed)"
    return _FORMULA if cell.startswith("=") else ""


def _csv_lines(text: str, delimiter: str) -> Iterator[_Line]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:  # a cell beyond the module's limit: a quote that is never closed, as a rule
            yield line, RowRejection(line, "", f"{error}; is a quote not closed?")
            return
        yield line, cells


def _xlsx_lines(raw: bytes, most_rows: int) -> Iterator[_Line]:
    import openpyxl  # noqa: PLC0415 - with NumPy and Pillow, it is a fifth of the time the service takes to start

    workbook = openpyxl.load_workbook(io.BytesIO(raw), read_only=True)
    try:
        rows = workbook.worksheets[0].iter_rows(max_row=most_rows + 2, max_col=_MOST_COLUMNS)
        width = 0
        for line, row in enumerate(rows, start=1):
            cells = [_text(cell.value, cell.data_type) for cell in row]
            if line == 1:
                width = max((index for index, cell in enumerate(cells, start=1) if cell.strip()), default=0)
                cells = cells[:width]
            yield line, cells
    finally:
        workbook.close()


def _text(value: Any, data_type: str) -> str:  # noqa: ANN401 - whatever Excel keeps in a cell
    if data_type == "f":
        return "="
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value.isoformat() if isinstance(value, date) else str(value)


def _check_unpacked_size(raw: bytes, most_bytes: int) -> None:
    """Raise `UnreadableFile` before anything is unpacked. No more is read of a zip file than the sizes it states."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as packed:
            parts = packed.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise UnreadableFile("not an Excel workbook (.xlsx)") from error
    if len(parts) > _MOST_PARTS or sum(part.file_size for part in parts) > most_bytes:
        raise UnreadableFile(f"unpacks to more than {most_bytes} bytes")
