"""Texts of a workbook's cells: shared strings, numbers, dates and truth values as the sheet shows them."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from services.registration.import_files.package import Attributes, PartHandlers
from services.registration.import_files.sheet import MOST_CELL_CHARACTERS, DateCell, NumberCell, UnreadableFile

#: Texts that cells share. More than the cells of the largest file that is imported.
_MOST_SHARED_TEXTS = 1_000_000
#: Excel's own limit on the formats of cells.
_MOST_FORMATS = 65_536
#: Built-in formats of dates and times (ECMA-376, part 1, 18.8.30).
_DATE_FORMATS: Final = frozenset(map(str, (*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59))))
#: Parts of a format that hold letters but no date: quoted text, colours and conditions, an escaped or padded letter.
_NO_DATE = re.compile(r'"[^"]*"|\[(?!h+\]|m+\]|s+\])[^\]]*\]|[\\_*].', re.IGNORECASE)
#: Formats with a fixed number of digits: 0, 00000, 0.00, #,##0.00.
_FIXED = re.compile(r"(?:#,##)?(0+)(?:\.(0+))?")
_DATE_LETTERS = re.compile(r"[dmyhs]", re.IGNORECASE)
_EPOCH_1900: Final = datetime(1899, 12, 30)  # noqa: DTZ001 - a date in a sheet has no zone
_EPOCH_1904: Final = datetime(1904, 1, 1)  # noqa: DTZ001
#: The 29th of February 1900 never was, but Excel counts it.
_LEAP_DAY_1900: Final = 60
_LAST_DAY: Final = 2_957_000  # in the year 9995
_DAY_SECONDS: Final = 86_400
_MOST_DIGITS: Final = 18


def natural(text: str) -> int:
    """Return a number from 0 that a file states in digits. Raises `ValueError`."""
    if not text.isdecimal() or len(text) > _MOST_DIGITS:
        raise ValueError(text[:_MOST_DIGITS])
    return int(text)


def number_text(text: str) -> str:
    """Return a number as the sheet shows it without a format: `13` for 13.0. A text that is no number stays."""
    try:
        number = float(text)
    except ValueError:
        return text
    if not math.isfinite(number):
        return text
    return str(int(number)) if number.is_integer() else str(number)


def date_text(text: str, *, since_1904: bool) -> str:
    """Return a number of days as an ISO 8601 date and time; a time alone for less than a day.

    A text that is no such number stays.
    """
    try:
        days = float(text)
    except ValueError:
        return text
    if not 0 <= days < _LAST_DAY:
        return text
    if not since_1904 and 1 <= days < _LEAP_DAY_1900:
        days += 1
    moment = (_EPOCH_1904 if since_1904 else _EPOCH_1900) + timedelta(seconds=round(days * _DAY_SECONDS))
    return moment.time().isoformat() if days < 1 else moment.isoformat()


@dataclass(frozen=True)
class _Format:
    """A format of numbers: of dates, or with this many digits before the point, at least, and after it."""

    is_date: bool = False
    digits: int = 0
    decimals: int = 0

    @classmethod
    def of(cls, code: str) -> _Format:
        """Read a code without quoted texts, colours and conditions."""
        positive = code.partition(";")[0].strip()
        if found := _FIXED.fullmatch(positive):
            return cls(digits=len(found[1]), decimals=len(found[2] or ""))
        return cls(is_date=_DATE_LETTERS.search(code) is not None and "general" not in code.lower())

    def fixed(self, plain: str) -> str:
        """Return a number with these digits; empty if the format is general, or hides a part of the number."""
        if not self.digits:
            return ""
        try:
            value = float(plain)
        except ValueError:
            return ""
        width = self.digits + (self.decimals + 1 if self.decimals else 0)
        text = f"{value:0{width}.{self.decimals}f}"
        return text if float(text) == value else ""


_GENERAL: Final = _Format()
#: Built-in formats (ECMA-376, part 1, 18.8.30).
_BUILT_IN: Final = {number: _Format(is_date=True) for number in _DATE_FORMATS} | {
    "1": _Format(digits=1),
    "2": _Format(digits=1, decimals=2),
    "3": _Format(digits=1),
    "4": _Format(digits=1, decimals=2),
}


class TextPieces:
    """A text that comes in pieces. It is cut a character beyond the longest cell."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._length = 0

    def add(self, piece: str) -> None:
        """Add a piece."""
        if self._length <= MOST_CELL_CHARACTERS:
            self._pieces.append(piece)
            self._length += len(piece)

    def take(self) -> str:
        """Return the text, and begin the next."""
        text = "".join(self._pieces)[: MOST_CELL_CHARACTERS + 1]
        self._pieces, self._length = [], 0
        return text


class SharedTexts:
    """The texts that cells name by their number, in UTF-8: a rare character quadruples a text in memory."""

    def __init__(self) -> None:
        self._texts: list[bytes] = []
        self._pieces = TextPieces()
        self.handlers = PartHandlers(
            texts={"/sst/si/t": self._pieces.add, "/sst/si/r/t": self._pieces.add}, ends={"/sst/si": self._end}
        )

    def __getitem__(self, number: str) -> str:
        """Return a text. Raises `UnreadableFile` if there is no such text."""
        try:
            return self._texts[natural(number)].decode()
        except (ValueError, IndexError):
            raise UnreadableFile(f"not a readable Excel workbook: no shared text {number[:20]!r}") from None

    def _end(self) -> None:
        self._texts.append(self._pieces.take().encode())
        if len(self._texts) > _MOST_SHARED_TEXTS:
            raise UnreadableFile(f"more than {_MOST_SHARED_TEXTS} shared texts: split the file")


class CellFormats:
    """Shows numbers by the formats of their cells: dates, and numbers of a fixed number of digits."""

    def __init__(self) -> None:
        self._own: dict[str, _Format] = {}
        self._count = 0
        self._formats: dict[str, _Format] = {}
        self.handlers = PartHandlers(
            starts={"/styleSheet/numFmts/numFmt": self._add_own, "/styleSheet/cellXfs/xf": self._add}
        )

    def shown(self, text: str, number: str, *, since_1904: bool) -> str:
        """Return the text of a number in the format of this number, as the sheet shows it if that is certain.

        A `DateCell` or a `NumberCell` says that the cell shows more, or less, than the text.
        """
        cell_format = self._formats.get(number, _GENERAL)
        if cell_format.is_date:
            return DateCell(date_text(text, since_1904=since_1904))
        plain = number_text(text)
        return cell_format.fixed(plain) or NumberCell(plain)

    def _add_own(self, attributes: Attributes) -> None:
        code = attributes.get("formatCode", "")[:1000]
        plain = _NO_DATE.sub("", code)
        self._own[attributes.get("numFmtId", "")[:20]] = _Format.of(plain)
        self._check(len(self._own))

    def _add(self, attributes: Attributes) -> None:
        number = attributes.get("numFmtId", "0")[:20]
        self._formats[str(self._count)] = self._own.get(number) or _BUILT_IN.get(number, _GENERAL)
        self._count += 1
        self._check(self._count)

    @staticmethod
    def _check(count: int) -> None:
        if count > _MOST_FORMATS:
            raise UnreadableFile(f"more than {_MOST_FORMATS} formats of cells: copy the list into a new workbook")
