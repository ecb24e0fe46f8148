"""Rows under column names, rejected rows with their line, and the bounds of a file's text."""

from __future__ import annotations

import pytest

from services.registration.import_files import sheet as module
from services.registration.import_files.cells import cleaned
from services.registration.import_files.headings import find_header
from services.registration.import_files.sheet import (
    DateCell,
    FileLimits,
    NumberCell,
    RowRejection,
    Sheet,
    SheetBuilder,
    SheetRow,
    UnreadableFile,
    check_header,
)
from tests.support.lists import PLACES, lines_of, read_list


def built(*lines: list[str], rows: int = 100, must_fit: bool = True) -> Sheet:
    packed: list[bytes] = []
    numbered = list(enumerate(lines, start=1))
    header = check_header(find_header(numbered, PLACES), lines[0] if lines else [])
    builder = SheetBuilder(header, PLACES, FileLimits(rows, 1_000_000), packed.append, must_fit=must_fit)
    for number, cells in numbered:
        builder.add(number, cells)
    builder.end()
    return Sheet(tuple(packed))


def test_cells_are_assigned_to_the_names_of_the_first_line_with_text() -> None:
    sheet = built(["", " "], [" Name", "COUNTRY", "", ""], ["Ñandú\n2", " ES "], [], ["B"])
    assert lines_of(sheet) == [
        SheetRow(3, {"name": "Ñandú\n2", "country": "ES"}),
        SheetRow(5, {"name": "B", "country": ""}),
    ]


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        ([], "missing: all. the first line with text is empty"),
        (["colour", "size"], "missing: all. the first line with text is 'colour', 'size'"),
        (["name", "colour"], "missing: country. line 1 has the headings 'name', 'colour'"),
        (["name", *["country"] * 1000], "line 1: 1001 headings; at most 1000 are taken"),
    ],
)
def test_a_list_without_the_needed_headings_is_refused(names: list[str], reason: str) -> None:
    with pytest.raises(UnreadableFile, match=reason):
        built(names)


def test_unknown_columns_are_left_out() -> None:
    assert lines_of(built(["colour", "name", "", "country"], ["red", "A", "x", "ES"])) == [
        SheetRow(2, {"name": "A", "country": "ES"})
    ]


def test_the_first_column_of_a_field_with_a_text_counts_and_lists_are_joined() -> None:
    sheet = built(["name", "company", "country", "region", "region 2"], ["", "A", "ES", "x", "y"])
    assert lines_of(sheet) == [SheetRow(2, {"name": "A", "country": "ES", "region": "x\ny"})]


def test_a_repeat_of_the_header_is_skipped() -> None:
    sheet = built(["name", "country"], ["A", "ES"], ["name", "country"], ["B", "ES"])
    assert [line.line for line in lines_of(sheet)] == [2, 4]


def test_cells_that_a_spreadsheet_keeps_as_numbers_or_dates_are_marked() -> None:
    sheet = built(["name", "country"], [NumberCell("25.1"), DateCell("2026-11-01")])
    assert lines_of(sheet) == [
        SheetRow(2, {"name": "25.1", "country": "2026-11-01"}, {"name": "number", "country": "date"})
    ]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("\u200bAcme\u200d\ufeff", "Acme"),
        ("Acme\u00a0SL", "Acme SL"),
        ('="0123"', "0123"),
        ("'+34 600", "+34 600"),
        ("a_x000D_\nb", "a\nb"),
        ("नमस्\u200dते", "नमस्\u200dते"),
        ("'n Beentje", "'n Beentje"),
    ],
)
def test_cells_are_cleaned_of_what_nobody_sees(cell: str, text: str) -> None:
    assert cleaned(cell) == text


@pytest.mark.parametrize(
    ("cells", "column", "reason"),
    [
        (["A", "ES", "", "x"], "", "4 cells under 2 headings"),
        (["=HYPERLINK(1)", "ES"], "name", "'=HYPERLINK(1)', a formula"),
        (["#REF!", "ES"], "name", "#REF!, an error of the spreadsheet"),
        (["A", "y" * 12_001], "country", "more than 12000 characters"),
    ],
)
def test_a_row_with_a_fault_is_rejected_by_line_and_column(cells: list[str], column: str, reason: str) -> None:
    first, second = lines_of(built(["name", "country"], cells, ["B", "ES"]))
    assert isinstance(first, RowRejection)
    assert (first.line, first.column) == (2, column)
    assert first.reason.startswith(reason)
    assert second == SheetRow(3, {"name": "B", "country": "ES"})


def test_only_rows_with_text_count() -> None:
    assert len(lines_of(built(["name", "country"], *[[""]] * 500, *[["A", "ES"]] * 5, rows=5))) == 5
    with pytest.raises(UnreadableFile, match="more than 5 rows: split the file"):
        built(["name", "country"], *[["A", "ES"]] * 6, rows=5)


def test_rows_leave_in_slices_of_bounded_size() -> None:
    assert [len(lines) for lines in built(["name", "country"], *[["A", "ES"]] * 60).slices()] == [25, 25, 10]
    long = built(["name", "country"], *[["A" * 12_000, "E" * 12_000]] * 10)
    assert max(len(packed) for packed in long.packed) < 64 * 1024 + 2 * 12_000 + 400


def test_too_much_text_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_TEXT_BYTES", 10_000)
    with pytest.raises(UnreadableFile, match="more than 10000 bytes of text in its cells: split the file"):
        built(["name", "country"], *[["A" * 1000, "ES"]] * 20)


@pytest.mark.parametrize(
    ("names", "family_first"), [(["Ruiz, Ana", "Gil, Eva", "Li"], True), (["Ruiz, Ana", "Li"], False)]
)
def test_most_names_of_a_list_tell_the_order_of_all(names: list[str], family_first: bool) -> None:
    raw = "\n".join(["name;country", *(f"{name};ES" for name in names)]).encode()
    assert read_list(raw).found.family_first is family_first
