"""Lines of a workbook's first sheet, as spreadsheets write it and by hand."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.registration.import_files.headings import FieldVocabulary
from services.registration.import_files.sheet import RowRejection, SheetRow, UnreadableFile
from services.registration.import_files.vocabulary import ORGANISATIONS
from tests.support.lists import PLACES, lines_of, read_list
from tests.support.workbooks import SHARED, SHEET, STYLES, by_hand, saved, sheet_of, sheets_saved, zipped


def read(raw: bytes, vocabulary: FieldVocabulary = ORGANISATIONS, rows: int = 100) -> list[SheetRow | RowRejection]:
    return lines_of(read_list(raw, vocabulary, rows=rows))


def named(rows: str, **parts: str) -> list[str]:
    """Return the cells of column A of a sheet made by hand."""
    lines = read(by_hand({SHEET: sheet_of(rows), **parts}))
    return [line.cells["name"] if isinstance(line, SheetRow) else line.reason for line in lines]


def test_a_sheet_is_read_as_openpyxl_saves_it() -> None:
    raw = saved(["Name", "Country", "Region"], ["A", "ES", 13], ["=1+1", "ES", None], [None, None], ["B", "PT", True])
    assert read(raw, PLACES) == [
        SheetRow(2, {"name": "A", "country": "ES", "region": "13"}, {"region": "number"}),
        RowRejection(3, "Name", "'=', a formula without a value: write the value itself there"),
        SheetRow(5, {"name": "B", "country": "PT", "region": "true"}),
    ]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ('<c r="A2" t="s"><v>1</v></c>', "shared"),
        ('<c r="A2" t="inlineStr"><is><r><t>in</t></r><r><t>line</t></r></is></c>', "inline"),
        ('<c r="A2" t="str"><f>CONCATENATE("a","b")</f><v>ab</v></c>', "ab"),
        ('<c r="A2"><f>1+1</f><v>2</v></c>', "2"),
        ('<c r="A2"><v>25.10</v></c>', "25.1"),
        ('<c r="A2" s="2"><v>25.1</v></c>', "25.10"),
        ('<c r="A2" s="3"><v>123</v></c>', "00123"),
        ('<c r="A2" s="4"><v>25.1</v></c>', "25.1"),
        ('<c r="A2" s="1"><v>46327</v></c>', "2026-11-01T00:00:00"),
        ('<c r="A2" t="d"><v>2026-11-01</v></c>', "2026-11-01"),
        ('<c r="A2" t="b"><v>0</v></c>', "false"),
        ('<c t="str"><v>first</v></c>', "first"),
        ('<x:c r="A2" t="str"><x:v>prefixed</x:v></x:c>', "prefixed"),
        ('<c r="A2" t="str"><v>a</v><extLst><ext><v>b</v></ext></extLst></c>', "a"),
    ],
)
def test_a_cell_is_read_by_its_type(cell: str, text: str) -> None:
    row = f'<row r="2" xmlns:x="urn:x">{cell}<c r="B2" t="str"><v>sme</v></c></row>'
    shared = "<sst><si><t>other</t></si><si><t>shared</t></si></sst>"
    styles = (
        '<styleSheet><numFmts><numFmt numFmtId="164" formatCode="00000"/></numFmts><cellXfs><xf numFmtId="0"/>'
        '<xf numFmtId="14"/><xf numFmtId="2"/><xf numFmtId="164"/><xf numFmtId="1"/></cellXfs></styleSheet>'
    )
    assert named(row, **{SHARED: shared, STYLES: styles}) == [text]


def test_a_used_range_to_the_last_row_is_read_past_its_empty_cells() -> None:
    rows = '<row r="2"><c t="str"><v>A</v></c></row><row r="1048576"><c r="XFD1048576" s="1"/></row>'
    assert named(rows, x="") == ["A"]


def test_a_stated_dimension_is_not_believed() -> None:
    part = sheet_of('<row r="2"><c t="str"><v>A</v></c></row>').replace(
        "<sheetData>", '<dimension ref="A1:XFD1048576"/><sheetData>'
    )
    assert len(read(by_hand({SHEET: part}))) == 1


def test_text_beyond_the_headings_is_left_out() -> None:
    rows = '<row r="2"><c r="XFD2" t="str"><v>far</v></c></row><row r="3"><c t="str"><v>A</v></c></row>'
    assert named(rows) == ["A"]


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ('<row r="3"/><row r="2"/>', "row '2' comes after row 3"),
        ('<row r="2"/><row r="2"/>', "row '2' comes after row 2"),
        ('<row r="2147483648"/>', "row '2147483648' comes after row 1"),
        ('<row r="x"/>', "row 'x'"),
        ('<row r="2"><c r="ZZZZZ2"/></row>', "row 2: no sheet has a cell 'ZZZZZ2'"),
        ('<row r="2"><c r="ZZZ2"/></row>', "no sheet has a cell 'ZZZ2'"),
        ('<row r="2"><c r="2"/></row>', "no sheet has a cell '2'"),
        (f'<row r="2">{"<c/>" * 16_385}</row>', "no sheet has a cell|more than 16384 cells in row 2"),
        ('<row r="2"><c t="s"><v>9</v></c></row>', "no shared text '9'"),
    ],
)
def test_a_sheet_that_no_spreadsheet_saves_is_refused(rows: str, reason: str) -> None:
    with pytest.raises(UnreadableFile, match=reason):
        read(by_hand({SHEET: sheet_of(rows)}))


def test_the_first_sheet_of_cells_is_found_by_its_relation() -> None:
    sheets = '<sheet name="chart" r:id="f"/><sheet name="gone" r:id="g"/><sheet name="list" r:id="s"/>'
    assert read(by_hand({SHEET: sheet_of('<row r="2"><c t="str"><v>A</v></c></row>')}, sheets=sheets))
    with pytest.raises(UnreadableFile, match="without a sheet of cells"):
        read(by_hand({}, sheets=""))


def test_the_sheet_whose_headings_fit_best_is_read() -> None:
    raw = sheets_saved(
        {
            "Instructions": [["Fill in the sheet List"], ["name", "Name of the company"], ["country", "ISO code"]],
            "Values": [["Country"], ["ES"], ["PT"]],
            "List": [["Companies 2027"], [], ["Name *", "Country (ISO)", "Region"], ["A", "ES", None]],
        }
    )
    sheet = read_list(raw, PLACES)
    assert (sheet.found.sheet, sheet.found.header_line) == ("List", 3)
    assert sheet.found.other_sheets == ("Instructions", "Values")
    assert lines_of(sheet) == [SheetRow(4, {"name": "A", "country": "ES", "region": ""})]
    with pytest.raises(UnreadableFile, match="missing: name"):
        read_list(raw, PLACES, sheet_name="values")


def test_merged_cells_give_their_text_to_the_rows_below() -> None:
    raw = sheets_saved(
        {"List": [["Country", "Name"], ["ES", "A"], [None, "B"], [None, "C"], ["PT", "D"], [None, "E"]]},
        merged=["A2:A4"],
    )
    assert [line.cells["country"] for line in read(raw, PLACES) if isinstance(line, SheetRow)] == ["ES"] * 3 + [
        "PT",
        "",
    ]


def test_group_headings_complete_the_headings_below_them() -> None:
    raw = sheets_saved({"List": [["Company", None, "Other"], ["Name", "Land", "Name"], ["A", "ES", "x"]]})
    assert read(raw, PLACES) == [SheetRow(3, {"name": "A", "country": "ES"})]


def test_hidden_rows_are_counted_and_left_and_read_when_asked_for() -> None:
    rows: list[list[object]] = [["Name", "Country"], ["A", "ES"], ["B", "ES"], [None, None], ["C", "ES"], ["Total: 3"]]
    raw = sheets_saved({"List": rows}, hidden_rows=(3, 4, 5), hidden_columns=("B",))
    sheet = read_list(raw, PLACES)
    assert [line.line for line in lines_of(sheet)] == [2]
    assert (sheet.found.hidden_rows, sheet.found.hidden_lines) == (2, (3, 5))
    assert sheet.found.hidden_columns == ("Country",)
    assert sheet.found.no_entries == (6,)
    read_too = read_list(raw, PLACES, with_hidden=True)
    assert [line.line for line in lines_of(read_too)] == [2, 3, 5]
    assert read_too.found.hidden_rows == 0


def test_a_hidden_row_gives_the_text_of_its_merged_cell_to_shown_rows() -> None:
    rows: list[list[object]] = [["Country", "Name"], ["ES", "A"], [None, "B"]]
    raw = sheets_saved({"List": rows}, merged=["A2:A3"], hidden_rows=(2,))
    assert read(raw, PLACES) == [SheetRow(3, {"country": "ES", "name": "B"})]


def test_further_sheets_with_a_list_are_named() -> None:
    list_of: list[list[object]] = [["Name", "Country"], ["A", "ES"]]
    raw = sheets_saved({"Confirmed": list_of, "Waiting": list_of, "Notes": [["x"]], "Old": list_of}, hidden=["Old"])
    found = read_list(raw, PLACES).found
    assert (found.sheet, found.other_lists) == ("Confirmed", ("Waiting",))


def test_a_list_on_a_hidden_sheet_is_named_in_the_refusal() -> None:
    raw = sheets_saved({"Cover": [["Our fair"]], "Data": [["Name", "Country"], ["A", "ES"]]}, hidden=["Data"])
    with pytest.raises(UnreadableFile, match="hidden sheet 'Data': show the sheet, or name it"):
        read(raw, PLACES)
    assert read_list(raw, PLACES, sheet_name="Data").found.sheet == "Data"


@pytest.mark.parametrize("error", ["#N/A", "#REF!", "#¡REF!", "#NV", "#BEZUG!", "#N/D", "#VALORE!", "Err:508", "####"])
def test_an_error_of_the_spreadsheet_is_left_out_of_a_cell_that_is_not_needed(error: str) -> None:
    rows: list[list[object]] = [
        ["name", "country", "region"],
        ["A", "ES", error],
        [error, "ES", "x"],
        ["#1", "ES", "#2"],
    ]
    assert read(saved(*rows), PLACES) == [
        SheetRow(2, {"name": "A", "country": "ES"}, {}, {"region": f"{error}, an error of the spreadsheet"}),
        RowRejection(3, "name", f"{error}, an error of the spreadsheet: write the value itself there"),
        SheetRow(4, {"name": "#1", "country": "ES", "region": "#2"}),
    ]


def test_a_formula_without_a_value_is_left_out_of_a_cell_that_is_not_needed() -> None:
    assert read(saved(["name", "country", "region"], ["A", "ES", "=1+1"]), PLACES) == [
        SheetRow(2, {"name": "A", "country": "ES"}, {}, {"region": "'=', a formula without a value"})
    ]


def test_an_address_behind_a_text_is_taken() -> None:
    raw = sheets_saved(
        {"List": [["name", "country", "website"], ["A", "ES", "our site"], ["B", "ES", "www.b.example"]]},
        links={"A2": "https://no.example", "C2": "https://a.example/en", "C3": "https://tracker.example/?b"},
    )
    assert [line.cells for line in read(raw) if isinstance(line, SheetRow)] == [
        {"name": "A", "country": "ES", "website": "https://a.example/en"},
        {"name": "B", "country": "ES", "website": "www.b.example"},
    ]


@pytest.mark.parametrize(
    "raw",
    [b"PK\x03\x04", saved(["name", "kind", "country"])[:-40], zipped({"a.txt": "x"})],
)
def test_bytes_that_are_no_workbook_are_refused(raw: bytes) -> None:
    with pytest.raises(UnreadableFile, match=r"^not a"):
        read(raw)


@given(st.integers(0, 4000), st.integers(0, 255))
def test_no_damaged_workbook_crashes_the_reader(place: int, value: int) -> None:
    raw = bytearray(saved(["name", "kind", "country"], ["A", "sme", "ES"]))
    raw[place % len(raw)] = value
    with contextlib.suppress(UnreadableFile):
        read(bytes(raw))


@given(st.binary(max_size=200))
def test_no_bytes_crash_the_reader(raw: bytes) -> None:
    with contextlib.suppress(UnreadableFile):
        read(by_hand({SHEET: raw}))
