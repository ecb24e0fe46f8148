"""Texts of cells: numbers, dates and shared strings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.registration.import_files.cell_values import (
    CellFormats,
    SharedTexts,
    TextPieces,
    date_text,
    natural,
    number_text,
)
from services.registration.import_files.package import Package
from services.registration.import_files.sheet import DateCell, UnreadableFile
from tests.support.workbooks import zipped


@pytest.mark.parametrize(
    ("kept", "shown"),
    [("13", "13"), ("13.0", "13"), ("25.10", "25.1"), ("1E3", "1000"), ("-0.5", "-0.5"), ("", ""), ("x", "x")],
)
def test_a_number_is_read_as_the_sheet_shows_it(kept: str, shown: str) -> None:
    assert number_text(kept) == shown


@pytest.mark.parametrize(
    ("kept", "since_1904", "shown"),
    [
        ("46327", False, "2026-11-01T00:00:00"),
        ("46327.75", False, "2026-11-01T18:00:00"),
        ("1", False, "1900-01-01T00:00:00"),
        ("61", False, "1900-03-01T00:00:00"),
        ("0.5", False, "12:00:00"),
        ("44865", True, "2026-11-01T00:00:00"),
        ("-1", False, "-1"),
        ("1e300", False, "1e300"),
        ("nan", False, "nan"),
        ("soon", False, "soon"),
    ],
)
def test_a_date_is_read_in_either_calendar(kept: str, shown: str, *, since_1904: bool) -> None:
    assert date_text(kept, since_1904=since_1904) == shown


@given(st.text(max_size=20) | st.floats().map(str), st.booleans())
def test_every_text_of_a_number_is_read(text: str, since_1904: bool) -> None:
    assert isinstance(number_text(text), str)
    assert isinstance(date_text(text, since_1904=since_1904), str)


@pytest.mark.parametrize("text", ["", "-1", "1.0", "x", "9" * 19])
def test_what_is_no_natural_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        natural(text)
    assert natural("007") == 7


def test_a_long_text_is_kept_to_the_longest_cell() -> None:
    pieces = TextPieces()
    for _ in range(100):
        pieces.add("a" * 1000)
    assert len(pieces.take()) == 12_001
    pieces.add("b")
    assert pieces.take() == "b"


def test_shared_texts_join_their_runs_and_leave_out_phonetics() -> None:
    texts = SharedTexts()
    part = "<sst><si><t>A</t></si><si><r><t>B</t></r><r><t>C</t></r><rPh><t>x</t></rPh></si></sst>"
    Package(zipped({"s": part}), 1000).read("s", texts.handlers)
    assert [texts["0"], texts["1"]] == ["A", "BC"]
    for number in ("2", "-1", "x"):
        with pytest.raises(UnreadableFile, match="no shared text"):
            texts[number]


@pytest.mark.parametrize(
    ("code", "is_date"),
    [
        ("dd/mm/yyyy", True),
        ("[$-C0A]d mmm yy", True),
        ("[h]:mm", True),
        ('0.00 "days"', False),
        ("[Red]0", False),
        (r"0\d", False),
        ("General", False),
    ],
)
def test_a_format_shows_a_date_by_its_letters(code: str, *, is_date: bool) -> None:
    formats = CellFormats()
    own = f'<numFmts><numFmt numFmtId="164" formatCode="{code.replace(chr(34), "&quot;")}"/></numFmts>'
    xfs = '<cellXfs><xf numFmtId="164"/><xf numFmtId="14"/><xf/></cellXfs>'
    Package(zipped({"s": f"<styleSheet>{own}{xfs}</styleSheet>"}), 1000).read("s", formats.handlers)
    shown = [formats.shown("25", number, since_1904=False) for number in ("0", "1", "2", "3", "x")]
    assert [isinstance(text, DateCell) for text in shown] == [is_date, True, False, False, False]
