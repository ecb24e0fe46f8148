"""Lines of a CSV file (RFC 4180)."""

from __future__ import annotations

import csv
import io
import re

from services.registration.import_files.sheet import SheetBuilder, UnreadableFile

#: The first line that is not blank.
_FIRST_LINE = re.compile(r"[^\s][^\r\n]*")
_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def read_csv(raw: bytes, sheet: SheetBuilder) -> None:
    """Read a CSV file: UTF-8 with or without a byte order mark, `;` or `,` between the cells.

    Raises:
        UnreadableFile: not UTF-8; and the errors of `SheetBuilder`.
    """
    text = _decoded(raw)
    first = _FIRST_LINE.search(text)
    names = first.group() if first else ""
    delimiter = ";" if names.count(";") > names.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error:  # a cell beyond the module's limit: a quote that is never closed, as a rule
            sheet.reject(line, f"a cell of more than {csv.field_size_limit()} characters; is a quote not closed?")
            break
        sheet.add(line, cells)
    sheet.end()


def _decoded(raw: bytes) -> str:
    if raw.startswith(_UTF_16_MARKS):
        raise UnreadableFile("UTF-16, not UTF-8: save the file as CSV UTF-8")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableFile(f"not UTF-8: byte {error.start} is not; save the file as CSV UTF-8") from None
