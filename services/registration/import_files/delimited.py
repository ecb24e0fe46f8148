"""Lines of a CSV file (RFC 4180)."""

from __future__ import annotations

import codecs
import csv
import io
import re

from services.registration.import_files.sheet import SheetBuilder, UnreadableFile

#: The first line that is not blank.
_FIRST_LINE = re.compile(rb"\S[^\r\n]*")


def read_csv(raw: bytes, sheet: SheetBuilder) -> None:
    """Read a CSV file: UTF-8 with or without a byte order mark, `;` or `,` between the cells.

    Raises:
        UnreadableFile: not UTF-8; and the errors of `SheetBuilder`.
    """
    _check_encoding(raw)
    first = _FIRST_LINE.search(raw.removeprefix(codecs.BOM_UTF8))
    names = first.group() if first else b""
    delimiter = ";" if names.count(b";") > names.count(b",") else ","
    reader = csv.reader(io.TextIOWrapper(io.BytesIO(raw), encoding="utf-8-sig", newline=""), delimiter=delimiter)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error:  # a cell beyond the module's limit: a quote that is never closed, as a rule
            sheet.reject(line, f"a cell of more than {csv.field_size_limit()} characters; is a quote not closed?")
            break
        if cells:
            sheet.add(line, cells)
    sheet.end()


def _check_encoding(raw: bytes) -> None:
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise UnreadableFile("UTF-16, not UTF-8: save the file as CSV UTF-8")
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        raise UnreadableFile(f"not UTF-8: byte {error.start} is not; save the file as CSV UTF-8") from None
