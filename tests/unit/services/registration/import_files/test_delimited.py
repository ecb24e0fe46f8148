"""Lines of CSV files, as spreadsheets write them and as nobody should."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.registration.import_files.sheet import RowRejection, SheetRow, UnreadableFile
from tests.support.lists import lines_of, read_list


def read(raw: bytes, rows: int = 5) -> list[SheetRow | RowRejection]:
    return lines_of(read_list(raw, rows=rows))


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
        "country\tname\nES\tÑandú\n",
        "country|name\nES|Ñandú\n",
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


SPANISH = "Empresa;name;país;Población\r\nx;Muñoz Mecanizados S.A.;España;Alcázar\r\n;García e Hijos;ES;“León”\r\n"


@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("utf-32", "utf-32"),
        ("cp1252", "cp1252"),
        ("mac_roman", "mac_roman"),
    ],
)
def test_the_encoding_is_found_and_said(encoding: str, said: str) -> None:
    sheet = read_list(SPANISH.encode(encoding))
    assert [line.cells["name"] for line in lines_of(sheet) if isinstance(line, SheetRow)] == [
        "Muñoz Mecanizados S.A.",
        "García e Hijos",
    ]
    assert (sheet.found.encoding, sheet.found.delimiter) == (said, ";")
    assert [column.heading for column in sheet.found.columns if not column.field] == ["Empresa", "Población"]


@pytest.mark.parametrize("line", ["sep=;\r\n", '"sep=;"\n', "SEP=;\n", "\ufeffsep=;\r\n"])
def test_a_stated_delimiter_is_taken_and_lines_are_still_counted(line: str) -> None:
    sheet = read_list(f"{line}name;country\nA,B;ES\n".encode())
    assert lines_of(sheet) == [SheetRow(3, {"name": "A,B", "country": "ES"})]


def test_titles_blank_lines_and_notes_may_stand_above_the_headings() -> None:
    sheet = read_list(b"List of 2027\n\nPrinted on;2026-12-01;\n;;\nname;country;\nA;ES;\n")
    assert (sheet.found.header_line, lines_of(sheet)) == (5, [SheetRow(6, {"name": "A", "country": "ES"})])


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("nombre,país\nÑandú,ES\nMuñoz,España\n".encode() + b"A\xf1o,ES\n", "UTF-8 but for 1 characters, the first at"),
        (b"\xff\xfen\x00a\x00\x00\xd8n\x00", "begins as utf-16 text, but byte 6 is not"),
        (b"", "missing"),
        (b";" * 100_000, "missing|headings"),
        (b"name,country\n" + b"A,ES\n" * 6, "more than 5 rows"),
    ],
)
def test_an_unreadable_file_is_refused_with_the_reason(raw: bytes, reason: str) -> None:
    with pytest.raises(UnreadableFile, match=reason):
        read(raw)


@given(st.binary(max_size=200))
def test_no_bytes_crash_the_reader(raw: bytes) -> None:
    for beginning in (b"name,country\n", b""):
        with contextlib.suppress(UnreadableFile):
            read(beginning + raw)
