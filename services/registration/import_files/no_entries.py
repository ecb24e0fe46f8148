"""Rows of a list that are no entries: the example of a template, and totals below the list."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from services.registration.import_files.headings import ALIASES

#: Words before the colon with which the example of a template begins.
EXAMPLE_WORDS: Final = frozenset(ALIASES["examples"].split())
#: A sum below a list, in six languages.
_TOTAL: Final = re.compile(
    r"(?:(?:sub)?totale?s?|suma|summe|gesamt|somme|soma)(?: \w+){0,2}\s*[:=]?\s*[\d.,]*", re.IGNORECASE
)
_NUMBER: Final = re.compile(r"[\d.,]+")


def is_no_entry(cells: Sequence[str]) -> bool:
    """Tell whether a row is the example of a template (`Example: ...`), or a total below a list (`Total: 12`)."""
    texts = [cell.strip() for cell in cells if cell.strip()]
    first, colon, _ = texts[0].partition(":")
    if colon and first.casefold() in EXAMPLE_WORDS:
        return True
    return _TOTAL.fullmatch(texts[0]) is not None and all(_NUMBER.fullmatch(text) for text in texts[1:])
