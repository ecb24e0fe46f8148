"""Rows under column names, rejected rows with their line, and the bounds of a file's text."""

from __future__ import annotations

import pytest

from services.registration.import_files import sheet as module
from services.registration.import_files.sheet import (
    Columns,
    FileLimits,
    RowRejection,
    Sheet,
    SheetBuilder,
    SheetRow,
    UnreadableFile,
)

COLUMNS = Columns(("name", "country"), ("region",))


def built(*lines: list[str], rows: int = 100) -> Sheet:
    packed: list[bytes] = []
    builder = SheetBuilder(COLUMNS, FileLimits(rows, 1_000_000), packed.append)
    for number, cells in enumerate(lines, start=1):
        builder.add(number, cells)
    builder.end()
    return Sheet(tuple(packed))


def lines_of(sheet: Sheet) -> list[SheetRow | RowRejection]:
    return [line for lines in sheet.slices() for line in lines]


def test_cells_are_assigned_to_the_names_of_the_first_line_with_text() -> None:
    sheet = built(["", " "], [" Name", "COUNTRY", "", ""], ["Ñandú\n2", " ES "], [], ["B"])
    assert lines_of(sheet) == [
        SheetRow(3, {"name": "Ñandú\n2", "country": "ES"}),
        SheetRow(5, {"name": "B", "country": ""}),
    ]


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        ([], "line 1, the column names; missing: 'name', 'country'"),
        (["name"], "missing: 'country'"),
        (["name", "country", "colour"], "unknown: 'colour'"),
        (["name", "", "country"], "unknown: ''"),
        (["name", "country", "Name"], "twice: 'name'"),
        (["name"] * 51, "line 1: 51 column names; at most 50 are taken"),
    ],
)
def test_other_column_names_are_refused(names: list[str], reason: str) -> None:
    with pytest.raises(UnreadableFile, match=reason):
        built(names)


@pytest.mark.parametrize(
    ("cells", "column", "reason"),
    [
        (["A", "ES", "", "x"], "", "4 cells under 2 column names"),
        (["=HYPERLINK(1)", "ES"], "name", "a formula"),
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
    assert max(len(packed) for packed in long.packed) < 64 * 1024 + 2 * 12_000 + 200


def test_too_much_text_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_TEXT_BYTES", 10_000)
    with pytest.raises(UnreadableFile, match="more than 10000 bytes of text in its cells: split the file"):
        built(["name", "country"], *[["A" * 1000, "ES"]] * 20)
