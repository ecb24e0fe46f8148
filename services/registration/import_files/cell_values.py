"""Texts of a workbook's cells: shared strings, numbers, dates and truth values as the sheet shows them."""

from __future__ import annotations

import math
import re
from datetime import datetime, timedelta
from typing import Final

from services.registration.import_files.package import Attributes, PartHandlers
from services.registration.import_files.sheet import MOST_CELL_CHARACTERS, UnreadableFile

#: Texts that cells share. More than the cells of the largest file that is imported.
_MOST_SHARED_TEXTS = 1_000_000
#: Excel's own limit on the formats of cells.
_MOST_FORMATS = 65_536
#: Built-in formats of dates and times (ECMA-376, part 1, 18.8.30).
_DATE_FORMATS: Final = frozenset(map(str, (*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59))))
#: Parts of a format that hold letters but no date: quoted text, colours and conditions, an escaped or padded letter.
_NO_DATE = re.compile(r'"[^"]*"|\[(?!h+\]|m+\]|s+\])[^\]]*\]|[\\_*].', re.IGNORECASE)
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
    """Tells which formats of cells show dates."""

    def __init__(self) -> None:
        self._own: dict[str, bool] = {}
        self._count = 0
        self._dates: set[str] = set()
        self.handlers = PartHandlers(
            starts={"/styleSheet/numFmts/numFmt": self._add_own, "/styleSheet/cellXfs/xf": self._add}
        )

    def is_date(self, number: str) -> bool:
        """Tell whether the format of this number shows a date; an unknown format shows none."""
        return number in self._dates

    def _add_own(self, attributes: Attributes) -> None:
        code = _NO_DATE.sub("", attributes.get("formatCode", "")[:1000])
        self._own[attributes.get("numFmtId", "")[:20]] = _DATE_LETTERS.search(code) is not None
        self._check(len(self._own))

    def _add(self, attributes: Attributes) -> None:
        number = attributes.get("numFmtId", "0")[:20]
        if self._own.get(number, number in _DATE_FORMATS):
            self._dates.add(str(self._count))
        self._count += 1
        self._check(self._count)

    @staticmethod
    def _check(count: int) -> None:
        if count > _MOST_FORMATS:
            raise UnreadableFile(f"more than {_MOST_FORMATS} formats of cells: copy the list into a new workbook")
