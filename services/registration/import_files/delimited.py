"""Lines of a text file with a delimiter (RFC 4180), in the encoding and with the delimiter that the file has."""

from __future__ import annotations

import codecs
import csv
import io
import itertools
import re
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from services.registration.import_files.cells import cleaned, counted
from services.registration.import_files.encoding import encoding_of
from services.registration.import_files.found_table import FoundTable
from services.registration.import_files.headings import FieldVocabulary, ListHeader, find_header
from services.registration.import_files.sheet import (
    HEADER_ROWS,
    MOST_COLUMNS,
    FileLimits,
    SheetBuilder,
    UnreadableFile,
    check_header,
)

_DELIMITERS: Final = (",", ";", "\t", "|")
#: The first line of a file for Excel, which names the delimiter.
_SEPARATOR_LINE: Final = re.compile(r'\ufeff?"?sep=(.)"?\s*?(\r\n|\r|\n)', re.IGNORECASE)
#: Bytes in which a line with a stated separator is sought.
_BEGINNING_BYTES: Final = 1024
_MOST_CELLS: Final = 16_384

Line = tuple[int, list[str]]


class Dialect(NamedTuple):
    """The encoding of a file, its delimiter, and the characters before its first line."""

    encoding: str
    delimiter: str
    skipped: int = 0


def read_csv(
    raw: bytes,
    vocabulary: FieldVocabulary,
    limits: FileLimits,
    take: Callable[[bytes], None],
    found: Callable[[FoundTable], None],
    *,
    keep: Callable[[bytes], None] | None = None,
) -> None:
    """Read a text file: its slices go to `take`, the place of its list to `found`, and whole rows to `keep`.

    Raises:
        UnreadableFile: no text, or no headings of this kind; and the errors of `SheetBuilder`.
    """
    dialect, header = _find(raw, encoding_of(raw), vocabulary)
    sheet = SheetBuilder(header, vocabulary, limits, take, keep=keep)
    lines = _lines(raw, dialect)
    while True:
        try:
            line, cells = next(lines)
        except StopIteration:
            break
        except _Unclosed as error:
            sheet.reject(error.line, str(error))
            break
        if swallowed := _swallowed(cells, header.width, dialect.delimiter):
            sheet.reject(line, "a quote in it is not closed: remove the quote, or double it")
            for number, row in enumerate(swallowed, line + 1):
                sheet.add(number, row)
        else:
            sheet.add(line, cells)
    sheet.end()
    table = FoundTable.of(header, encoding=dialect.encoding, delimiter=dialect.delimiter)
    found(sheet.completed(table))


def _swallowed(cells: list[str], width: int, delimiter: str) -> list[list[str]]:
    """Return the rows that a cell holds because its quote is not closed; none if its line breaks are its own.

    Then the row is too short, and a line in its last cell has the separators of a row.
    """
    lines = cells[-1].split("\n") if cells and len(cells) < width else []
    if not any(line.count(delimiter) >= width - 1 for line in lines[1:]):
        return []
    return [next(csv.reader([line.rstrip("\r")], delimiter=delimiter), []) for line in lines[1:]]


class _Unclosed(Exception):
    """A cell beyond the limit of the module `csv`: as a rule a quote is not closed."""

    def __init__(self, line: int) -> None:
        super().__init__(f"a cell of more than {csv.field_size_limit()} characters; is a quote not closed?")
        self.line = line


def _find(raw: bytes, encoding: str, vocabulary: FieldVocabulary) -> tuple[Dialect, ListHeader]:
    """Find the delimiter with which the first rows name most fields."""
    beginning = codecs.getincrementaldecoder(encoding)("replace").decode(raw[:_BEGINNING_BYTES])
    stated = _SEPARATOR_LINE.match(beginning)
    dialects = [Dialect(encoding, delimiter) for delimiter in _DELIMITERS]
    if stated:
        dialects = [Dialect(encoding, stated[1], len(stated[0]))]
    best: tuple[Dialect, ListHeader] | None = None
    seen: list[str] = []
    for dialect in dialects:
        rows = _first_rows(raw, dialect)
        seen = seen or (rows[0][1] if rows else [])
        header = find_header(rows, vocabulary)
        if header and (best is None or header.score > best[1].score):
            best = dialect, header
    header = check_header(best[1] if best else None, seen)
    assert best is not None  # noqa: S101 - `check_header` has refused it
    return best[0], header


def _first_rows(raw: bytes, dialect: Dialect) -> list[Line]:
    rows: list[Line] = []
    try:
        for line, cells in itertools.islice(_lines(raw, dialect), HEADER_ROWS * 20):
            if len(cells) > _MOST_CELLS and not rows:
                raise UnreadableFile(f"line {line}: {len(cells)} headings; at most {MOST_COLUMNS} are taken")
            if len(cells) > _MOST_CELLS or len(rows) == HEADER_ROWS:
                break
            if counted(cells):
                rows.append((line, [cleaned(cell) for cell in cells]))
    except _Unclosed:
        pass  # the header may be above
    return rows


def _lines(raw: bytes, dialect: Dialect) -> Iterator[Line]:
    text = io.TextIOWrapper(io.BytesIO(raw), encoding=dialect.encoding, newline="")
    skipped = text.read(dialect.skipped)
    reader = csv.reader(text, delimiter=dialect.delimiter)
    while True:
        line = reader.line_num + (2 if skipped else 1)
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            raise _Unclosed(line) from None
        if cells:
            yield line, cells
