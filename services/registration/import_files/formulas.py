"""Texts that a spreadsheet would run as formulas, and the apostrophe before them that keeps them texts."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

#: Characters that a spreadsheet skips, or an import strips, before it looks for a formula.
_SKIPPED: Final = " \t\r\n\u00a0\u200b\ufeff\"'`\u00b4\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb\u2039\u203a"
_BEGINNINGS: Final = frozenset("=+-@")
_CONTROLS: Final = frozenset("\t\r\n")
#: A number is no danger, nor is a phone number in groups of digits: no spreadsheet computes with either.
_HARMLESS: Final = re.compile(r"-?\d+(?:[.,]\d+)*%?|\+\d+(?: \d+)+")
_APOSTROPHE: Final = "'"


def is_formula(text: str) -> bool:
    """Tell whether a spreadsheet could run a text as a formula, in full-width characters or behind quotes too."""
    if text[:1] in _CONTROLS and text:
        return True
    if _HARMLESS.fullmatch(text):
        return False
    first = text.lstrip(_SKIPPED)[:1]
    return unicodedata.normalize("NFKC", first)[:1] in _BEGINNINGS if first else False


def harmless(text: str) -> str:
    """Return a text that no spreadsheet runs as a formula."""
    return f"{_APOSTROPHE}{text}" if is_formula(text) else text


def is_escaped(text: str) -> bool:
    """Tell whether an apostrophe keeps a text from being read as a number or a formula."""
    rest = text[1:]
    return text.startswith(_APOSTROPHE) and (rest[:1].isdecimal() or rest[:1] in {*_BEGINNINGS} or is_formula(rest))
