"""Lines of CSV files, as spreadsheets write them and as nobody should."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.registration.import_files.delimited import read_csv
from services.registration.import_files.sheet import (
    Columns,
    FileLimits,
    RowRejection,
    Sheet,
    SheetBuilder,
    SheetRow,
    UnreadableFile,
)


def read(raw: bytes, rows: int = 5) -> list[SheetRow | RowRejection]:
    packed: list[bytes] = []
    read_csv(raw, SheetBuilder(Columns(("name", "country"), ()), FileLimits(rows, 0), packed.append))
    return [line for lines in Sheet(tuple(packed)).slices() for line in lines]


@pytest.mark.parametrize(
    "raw",
    [
        "name,country\nÑandú,ES\n",
        "\ufeffname;country\nÑandú;ES\n",
        'Name ; COUNTRY\r\n"Ñandú";ES\r\n\r\n;\r\n',
        "country,name\nES,Ñandú",
        "name,country\rÑandú,ES\r",
        "name,country\r\nÑandú,ES\n\r",
        "country,name,\nES,Ñandú,\n",
    ],
)
def test_csv_is_read_as_spreadsheets_write_it(raw: str) -> None:
    assert read(raw.encode()) == [SheetRow(2, {"name": "Ñandú", "country": "ES"})]


def test_the_separator_is_that_of_the_column_names() -> None:
    assert read(b"\n\r\n name;country\nA,B,C;ES\n") == [SheetRow(4, {"name": "A,B,C", "country": "ES"})]


def test_lines_count_line_breaks_in_cells() -> None:
    assert [row.line for row in read(b'name,country\n"two\nlines",ES\nB,ES\n')] == [2, 4]


def test_an_unclosed_quote_loses_no_good_row() -> None:
    good, bad = read(b'name,country\nA,ES\n"B,ES\n' + b"z" * 200_000)
    assert good == SheetRow(2, {"name": "A", "country": "ES"})
    assert bad == RowRejection(3, "", "a cell of more than 131072 characters; is a quote not closed?")


def test_a_null_character_stays_in_its_cell() -> None:
    assert read(b"name,country\nA\0B,ES\n") == [SheetRow(2, {"name": "A\0B", "country": "ES"})]


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"name,country\nA\xf1o,ES\n", "not UTF-8: byte 14"),
        ("name,country\n".encode("utf-16"), "UTF-16, not UTF-8: save the file as CSV UTF-8"),
        ("\ufeffname".encode("utf-16-be"), "UTF-16, not UTF-8"),
        (b"", "missing"),
        (b";" * 100_000, "missing"),
        (b"name,country\n" + b"A,ES\n" * 6, "more than 5 rows"),
    ],
)
def test_an_unreadable_file_is_refused_with_the_reason(raw: bytes, reason: str) -> None:
    with pytest.raises(UnreadableFile, match=reason):
        read(raw)


@given(st.binary(max_size=200))
def test_no_bytes_crash_the_reader(raw: bytes) -> None:
    with contextlib.suppress(UnreadableFile):
        read(b"name,country\n" + raw)
