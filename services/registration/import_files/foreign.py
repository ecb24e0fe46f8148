"""Files that are neither text nor a workbook: named by their first bytes or their parts, with the remedy."""

from __future__ import annotations

import codecs
import io
import re
import zipfile
from typing import Final

from services.registration.import_files.sheet import UnreadableFile

#: Beginnings of packed files; the second is of an archive without files.
ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")
_SAVE: Final = "open it in a spreadsheet and save it as .xlsx"
_UNPACK: Final = "unpack it, and send the list in it"
#: Beginnings of files, with their names and the remedy.
_BEGINNINGS: Final = {
    b"\xd0\xcf\x11\xe0": "an old Excel workbook (.xls), or one with a password: save it as .xlsx, without a password",
    b"\x09\x08\x10\x00": f"an old Excel workbook (.xls): {_SAVE}",
    b"\x09\x04\x06\x00": f"an old Excel workbook (.xls): {_SAVE}",
    b"%PDF": "a PDF: send the list as CSV or .xlsx",
    b"{\\rtf": f"a text document (.rtf): {_SAVE}",
    b"\x1f\x8b": f"a compressed file (.gz): {_UNPACK}",
    b"7z\xbc\xaf": f"an archive (.7z): {_UNPACK}",
    b"Rar!": f"an archive (.rar): {_UNPACK}",
    b"\x89PNG": "a picture: send the list as CSV or .xlsx",
    b"\xff\xd8\xff": "a picture: send the list as CSV or .xlsx",
    b"GIF8": "a picture: send the list as CSV or .xlsx",
    b"ID;PWXL": f"an old spreadsheet (.slk): {_SAVE}",
    b"BEGIN:V": "address cards (.vcf) or a calendar: export the address book as CSV",
    b"{": "JSON: send the list as CSV or .xlsx",
    b"[{": "JSON: send the list as CSV or .xlsx",
    b"<?xml": f"XML: {_SAVE}",
}
#: Parts of packed files, by the beginning or the end of a name.
_PARTS: Final = (
    (re.compile(r"(?:.*/)?Document\.iwa"), "a Numbers document: export it from Numbers as Excel (.xlsx)"),
    (re.compile(r"word/.*"), "a Word document: copy its table into a spreadsheet, and save that as .xlsx"),
    (re.compile(r"ppt/.*"), "a presentation: copy its table into a spreadsheet, and save that as .xlsx"),
    (re.compile(r"xl/workbook\.bin"), f"a binary Excel workbook (.xlsb): {_SAVE}"),
    (re.compile(r"mimetype"), f"an OpenDocument file (.ods): {_SAVE}"),
    (re.compile(r".*\.(?:csv|xlsx|xlsm|xls|ods|txt|tsv)", re.IGNORECASE), f"a ZIP archive: {_UNPACK}"),
)
_WORKBOOK: Final = "[Content_Types].xml"
_MOST_NAMES: Final = 1000
_MOST_BYTES: Final = 64 * 1024 * 1024
_HYPERTEXT: Final = re.compile(
    rb"\s*(?:<!--.{0,2000}?-->\s*)*<(?:!doctype\s+html|[a-z][a-z0-9]*[\s>/])", re.IGNORECASE | re.DOTALL
)
_BEGINNING_BYTES: Final = 4096


def refuse_foreign(raw: bytes) -> None:
    """Return if a file may be text, hypertext or a workbook.

    Raises:
        UnreadableFile: empty, or a file of a known kind that is not read, with the remedy.
    """
    if not raw.strip(b"\xef\xbb\xbf \t\r\n\x00"):
        raise UnreadableFile("empty: send a list with headings and rows")
    beginning = raw[:_BEGINNING_BYTES].removeprefix(codecs.BOM_UTF8).lstrip()
    for signature, reason in _BEGINNINGS.items():
        if raw.startswith(signature) or beginning.startswith(signature):
            raise UnreadableFile(reason)
    if raw.startswith(ZIP):
        _refuse_foreign_zip(raw)


def is_hypertext(raw: bytes) -> bool:
    """Tell whether a file is HTML, as many websites name `.xls` when they export a table."""
    beginning = raw[:_BEGINNING_BYTES]
    if beginning.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        beginning = beginning.decode("utf-16", "ignore").encode()
    return _HYPERTEXT.match(beginning.removeprefix(codecs.BOM_UTF8)) is not None


def _refuse_foreign_zip(raw: bytes) -> None:
    """Refuse a packed file that is no workbook. Only its names are read."""
    try:
        parts = zipfile.ZipFile(io.BytesIO(raw)).infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError):
        raise UnreadableFile(
            "a damaged Excel workbook, or another packed file: open it in a spreadsheet and save it as .xlsx again"
        ) from None
    names = [part.filename for part in parts[:_MOST_NAMES]]
    if len(parts) > _MOST_NAMES or sum(part.file_size for part in parts) > _MOST_BYTES:
        return  # Whatever it is: the bounds of a workbook refuse it.
    if any(name.startswith("xl/") and name.endswith(".xml") for name in names):
        return
    for pattern, reason in _PARTS:
        if any(pattern.fullmatch(name) for name in names):
            raise UnreadableFile(reason)
    if _WORKBOOK not in names and "_rels/.rels" not in names:
        raise UnreadableFile(f"a ZIP archive: {_UNPACK}" if names else "an empty ZIP archive: send the list itself")
