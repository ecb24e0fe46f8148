"""Codes of activities as spreadsheets keep them: recovered if they are certain, refused if not."""

from __future__ import annotations

import re
from typing import Final

#: A comma between digits is none: it is a decimal comma, or two codes. The rule for codes refuses it with the remedy.
_SEPARATORS: Final = re.compile(r"(?:[\s;|/]|(?<!\d),|,(?!\d))+")
_GROUP: Final = re.compile(r"\d{1,2}\.\d")
_DECIMAL_COMMA: Final = re.compile(r"\d,\d")
_CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:_-]{0,63}")
#: NACE Rev. 2 without a scheme: division, group or class, with or without points.
_NACE: Final = re.compile(r"(\d{2})(?:\.?(\d)\.?(\d)?\d{0,3})?")
_DESCRIBED: Final = re.compile(
    r"^\s*((?:nace:)?[A-Za-z]?\d{2}(?:\.?\d){0,2})\s*(?:[-\u2013\u2014:.]\s*|\s)[^\W\d][^:]*$"
)
_SCHEME: Final = re.compile(r"(?:nace|cnae|ateco|naf|wz|cae)[\s:.-]*(?=\d)", re.IGNORECASE)
#: A date that a spreadsheet has made of a code, as it is saved in a text file.
_MONTH: Final = (
    "(?:ene|jan|feb|f[eé]v|mar|abr|apr|avr|may|mai|mag|jun|jul|ago|aug|ao[uû]|sep|set|oct|okt|ott|out|nov|dic|dec|dez)"
)
_DATE: Final = re.compile(
    r"\b(?:\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}|\d{4}-\d{1,2}-\d{1,2}"
    rf"|\d{{1,2}}[/.-]{_MONTH}\b|{_MONTH}[/.-]\d{{1,4}})(?!\w)",
    re.IGNORECASE,
)
_STORE_AS_TEXT: Final = "format the cell as text and write the code again, such as nace:25.10"


class UncertainCode(Exception):
    """A code cannot be read, or a spreadsheet has changed it so that it is no longer certain; the message says how."""


def codes_of(text: str, kind: str = "") -> list[str]:
    """Return the codes of a cell. `kind` tells that the spreadsheet keeps it as a `number` or a `date`.

    Raises:
        UncertainCode: a code is not certain, or is none.
    """
    if kind == "date":
        raise UncertainCode(f"{text[:10]!r}, a date that the spreadsheet has made of a code: {_STORE_AS_TEXT}")
    if kind == "number":
        return [_of_number(text)]
    if found := _DATE.search(text):
        raise UncertainCode(f"{found[0]!r}, a date that a spreadsheet has made of a code: {_STORE_AS_TEXT}")
    # "nace: 25.62" and "CNAE 25.62" are a code each; "25.62 - Machining" is a code with its description.
    joined = (_DESCRIBED.sub(r"\1", part) for part in re.split(r"[;|\n]", _SCHEME.sub("nace:", text)))
    words = (word.strip(".:-") for part in joined for word in _SEPARATORS.split(part))
    return list(dict.fromkeys(_read(word) for word in words if word))


def may_be_cut(text: str) -> bool:
    """Tell whether a text holds a group without a scheme, such as 25.1: a spreadsheet writes 25.10 so."""
    return any(_GROUP.fullmatch(word) for word in _SEPARATORS.split(text))


def _read(word: str) -> str:
    if _DECIMAL_COMMA.search(word):
        return word
    if re.fullmatch(r"[a-uA-U]\d{2}\.?\d{0,2}", word):  # a section before the number: C25.62
        word = word[1:]
    if word.startswith("nace:") or _NACE.fullmatch(word):
        number = word.removeprefix("nace:")
        return f"nace:{_pointed(number)}" if number.isdecimal() and len(number) > 2 else f"nace:{number}"  # noqa: PLR2004
    if not _CODE.fullmatch(word):
        raise UncertainCode(f"{word[:50]!r} is no code: write scheme:value, such as nace:25.62 or ket:robotics")
    return word


def _of_number(text: str) -> str:
    """Return the code of a number, if no second code is kept as this number: 25.1 may have been 25.10."""
    whole, _, decimals = text.partition(".")
    if len(decimals) == 2 and len(whole) <= 2:  # noqa: PLR2004 - a class, of which the first zero may be missing
        return f"nace:{whole:0>2}.{decimals}"
    if not decimals and whole.isdecimal() and len(whole) == 4:  # noqa: PLR2004 - a class without its point
        return f"nace:{whole[:2]}.{whole[2:]}"
    if not decimals and whole.isdecimal() and len(whole) <= 2:  # noqa: PLR2004 - a division
        return f"nace:{whole:0>2}"
    raise UncertainCode(
        f"{text[:20]!r}, a number: the spreadsheet drops zeros, so the code is unknown; {_STORE_AS_TEXT}"
    )


def _pointed(number: str) -> str:
    return f"{number[:2]}.{number[2:4]}"
