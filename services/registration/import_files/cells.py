"""Texts of cells, without the ways in which spreadsheets write them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from services.registration.import_files.formulas import is_escaped

#: A text that is written as a formula to keep its zeros: ="0123".
_TEXT_FORMULA: Final = re.compile(r'="([^"]*)"')
#: An escaped character of a workbook's text (ECMA-376, part 1, 22.9.2.19).
_ESCAPED: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")
#: Characters without a width: marks of direction, soft hyphens, byte order marks.
_INVISIBLE: Final = re.compile("[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
_JOINERS: Final = "\u200c\u200d"


def counted(cells: Sequence[str]) -> int:
    """Return the number of a row's cells up to the last text; 0 if there is none."""
    return next((len(cells) - index for index, cell in enumerate(reversed(cells)) if cell.strip()), 0)


def cleaned(cell: str) -> str:
    """Return a cell without invisible characters, and without the ways in which spreadsheets escape texts."""
    text = _ESCAPED.sub(lambda found: _unescaped(found[1]), cell) if "_x" in cell else cell
    text = _INVISIBLE.sub("", text).replace("\u00a0", " ").replace("\r\n", "\n").strip().strip(_JOINERS)
    if found := _TEXT_FORMULA.fullmatch(text):
        text = found[1]
    return text[1:] if is_escaped(text) else text


def _unescaped(digits: str) -> str:
    letter = chr(int(digits, 16))
    return "" if letter == "\r" else letter
