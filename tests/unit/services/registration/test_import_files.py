"""Rows of CSV and XLSX files, and rejected rows with their line."""

from __future__ import annotations

import contextlib
import io
import zipfile
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.registration.import_files import Columns, FileLimits, RowRejection, UnreadableFile, read_csv, read_xlsx

COLUMNS = Columns(("name", "country"), ("region",))
LIMITS = FileLimits(rows=5, unpacked_bytes=1_000_000)


def workbook(*rows: list[object]) -> bytes:
    book = openpyxl.Workbook()
    sheet: Any = book.active
    for row in rows:
        sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize(
    "raw",
    [
        "name,country\nÑandú,ES\n",
        "\ufeffname;country\nÑandú;ES\n",
        'Name ; COUNTRY\r\n"Ñandú";ES\r\n\r\n;\r\n',
        "country,name\nES,Ñandú",
    ],
)
def test_csv_is_read_as_spreadsheets_write_it(raw: str) -> None:
    sheet = read_csv(raw.encode(), COLUMNS, LIMITS)
    assert [row.cells for row in sheet.rows] == [{"name": "Ñandú", "country": "ES"}]
    assert sheet.rows[0].line == 2


def test_lines_count_line_breaks_in_cells() -> None:
    sheet = read_csv(b'name,country\n"two\nlines",ES\nB,ES\n', COLUMNS, LIMITS)
    assert [row.line for row in sheet.rows] == [2, 4]


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"name,country\nA\xf1o,ES\n", "not UTF-8: byte 14"),
        (b"", "missing"),
        (b"name\nA\n", "missing: 'country'"),
        (b"name,country,colour\n", "unknown: 'colour'"),
        (b"name,country,name\n", "twice: 'name'"),
        (b"name,country\n" + b"A,ES\n" * 6, "more than 5 rows"),
    ],
)
def test_an_unreadable_csv_file_is_refused_with_the_reason(raw: bytes, reason: str) -> None:
    with pytest.raises(UnreadableFile, match=reason):
        read_csv(raw, COLUMNS, LIMITS)


def test_bad_rows_are_rejected_and_good_rows_kept() -> None:
    raw = "name,country\n=HYPERLINK(1),ES\nB,ES\nC,ES,x\n" + "y" * 12_001 + ",ES\n"
    sheet = read_csv(raw.encode(), COLUMNS, LIMITS)
    assert [row.cells["name"] for row in sheet.rows] == ["B"]
    assert [(fault.line, fault.column) for fault in sheet.rejected] == [(2, "name"), (4, ""), (5, "name")]


def test_an_unclosed_quote_loses_no_good_row() -> None:
    sheet = read_csv(b'name,country\nA,ES\n"B,ES\n' + b"z" * 200_000, COLUMNS, LIMITS)
    assert [row.cells["name"] for row in sheet.rows] == ["A"]
    assert sheet.rejected[0].line == 3


def test_the_first_sheet_of_a_workbook_is_read() -> None:
    raw = workbook(["Name", "Country", "Region"], ["A", "ES", 13], ["=1+1", "ES", None], [None, None], ["B", "PT"])
    sheet = read_xlsx(raw, COLUMNS, LIMITS)
    assert [(row.line, row.cells) for row in sheet.rows] == [
        (2, {"name": "A", "country": "ES", "region": "13"}),
        (5, {"name": "B", "country": "PT", "region": ""}),
    ]
    assert sheet.rejected == [RowRejection(3, "name", "a formula: put its value there")]


def test_a_workbook_that_unpacks_to_too_much_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/workbook.xml", b"0" * 2_000_000)
    with pytest.raises(UnreadableFile, match="unpacks to more"):
        read_xlsx(out.getvalue(), COLUMNS, LIMITS)


@pytest.mark.parametrize("raw", [b"", b"PK\x03\x04", b"name,country", workbook(["name", "country"])[:-40]])
def test_bytes_that_are_no_workbook_are_refused(raw: bytes) -> None:
    with pytest.raises(UnreadableFile):
        read_xlsx(raw, COLUMNS, LIMITS)


def test_a_zip_file_that_is_no_workbook_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr("a.txt", "x")
    with pytest.raises(UnreadableFile, match="not a readable"):
        read_xlsx(out.getvalue(), COLUMNS, LIMITS)


@given(st.binary(max_size=200))
def test_no_bytes_crash_the_readers(raw: bytes) -> None:
    for read in (read_csv, read_xlsx):
        with contextlib.suppress(UnreadableFile):
            read(b"name,country\n" + raw, COLUMNS, LIMITS)
