"""Workbooks as spreadsheets write them, and workbooks made by hand, part by part."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Mapping
from typing import Any

import openpyxl

_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_KINDS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_RELATIONS = 'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"'
#: The part of the first sheet.
SHEET = "xl/worksheets/sheet1.xml"
SHARED = "xl/sharedStrings.xml"
STYLES = "xl/styles.xml"
#: The first row of a list of organisations.
NAMES = (
    '<row r="1"><c r="A1" t="inlineStr"><is><t>name</t></is></c><c r="B1" t="inlineStr"><is><t>kind</t></is></c>'
    '<c r="C1" t="inlineStr"><is><t>country</t></is></c></row>'
)
#: A part as text or bytes, or as pieces that repeat.
Part = str | bytes | Iterable[bytes]


def saved(*rows: list[object]) -> bytes:
    """Return a workbook with these rows, as openpyxl saves it."""
    book = openpyxl.Workbook()
    sheet: Any = book.active
    for row in rows:
        sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def sheets_saved(
    sheets: Mapping[str, list[list[object]]],
    *,
    merged: Iterable[str] = (),
    links: Mapping[str, str] | None = None,
    hidden: Iterable[str] = (),
    hidden_rows: Iterable[int] = (),
    hidden_columns: Iterable[str] = (),
) -> bytes:
    """Return a workbook with these sheets. All but the hidden sheets belongs to the last sheet."""
    book: Any = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet: Any = book.create_sheet(name)
        sheet.sheet_state = "hidden" if name in hidden else "visible"
        for row in rows:
            sheet.append(row)
    for cells in merged:
        sheet.merge_cells(cells)
    for number in hidden_rows:
        sheet.row_dimensions[number].hidden = True
    for letters in hidden_columns:
        sheet.column_dimensions[letters].hidden = True
    for cell, target in (links or {}).items():
        sheet[cell].hyperlink = target
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def sheet_of(rows: str) -> str:
    """Return the part of a sheet with these rows below `NAMES`."""
    return f"<worksheet {_MAIN}><sheetData>{NAMES}{rows}</sheetData></worksheet>"


def repeated(before: str, unit: str, times: int, after: str, piece: int = 10_000) -> Iterable[bytes]:
    """Yield a sheet's part: below `NAMES` a beginning, a unit many times, and an end."""
    opening, closing = sheet_of("").encode().split(b"</sheetData>")
    yield opening + before.encode()
    for start in range(0, times, piece):
        yield unit.encode() * min(piece, times - start)
    yield after.encode() + b"</sheetData>" + closing


def shared(times: int, unit: str = "<si><t/></si>", piece: int = 10_000) -> Iterable[bytes]:
    """Yield the part of the shared strings: a unit many times."""
    yield f"<sst {_MAIN}>".encode()
    for start in range(0, times, piece):
        yield unit.encode() * min(piece, times - start)
    yield b"</sst>"


def by_hand(parts: Mapping[str, Part], *, sheets: str = '<sheet name="S" sheetId="1" r:id="s"/>') -> bytes:
    """Return a workbook with these parts; the parts that name other parts are added."""
    relations = "".join(
        f'<Relationship Id="{part_id}" Type="{_KINDS}/{kind}" Target="{target}"/>'
        for part_id, kind, target in (
            ("s", "worksheet", "worksheets/sheet1.xml"),
            ("t", "sharedStrings", "sharedStrings.xml"),
            ("f", "styles", "styles.xml"),
        )
    )
    described: dict[str, Part] = {
        "_rels/.rels": f'<Relationships {_RELATIONS}><Relationship Id="b" Type="{_KINDS}/officeDocument"'
        ' Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook {_MAIN} xmlns:r="{_KINDS}"><sheets>{sheets}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f"<Relationships {_RELATIONS}>{relations}</Relationships>",
        SHEET: sheet_of(""),
    }
    return zipped(described | dict(parts))


def zipped(parts: Mapping[str, Part]) -> bytes:
    """Return a zip file of parts."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for name, part in parts.items():
            pieces = [part.encode() if isinstance(part, str) else part] if isinstance(part, str | bytes) else part
            with packed.open(name, "w", force_zip64=True) as file:
                for piece in pieces:
                    file.write(piece)
    return out.getvalue()
