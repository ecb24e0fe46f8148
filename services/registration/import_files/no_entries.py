"""Rows of a list that are no entries: the example of a template, and totals and notes below the list."""

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


#: A note below a list, a mark of a footnote, the number of a page, or a line of marks.
_NOTE: Final = re.compile(
    rf"(?:{'|'.join(words.strip() for words in ALIASES['notes'].split(','))})\b(?: \w+){{0,3}}\s*:.*"
    r"|(?:\*|\u00a9|\(\*+\)|\[\d\]).*"
    r"|(?:p\u00e1gina|page|seite|pagina|p\u00e1g\.)\s*\d+(?:\s*(?:de|of|von|di|/|sur)\s*\d+)?"
    r"|[-=_*~.\s]{3,}",
    re.IGNORECASE | re.DOTALL,
)


def is_example(cells: Sequence[str]) -> bool:
    """Tell whether a row is the example of a template (`Example: ...`)."""
    first, colon, _ = _texts(cells)[0].partition(":")
    return bool(colon) and first.casefold() in EXAMPLE_WORDS


def is_no_entry(cells: Sequence[str]) -> bool:
    """Tell whether a row is a total below a list (`Total: 12`), or a note in a single cell (`Source: ...`)."""
    texts = _texts(cells)
    if len(texts) == 1 and _NOTE.fullmatch(texts[0]):
        return True
    # "Total Energies" alone is a company.
    is_sum = any(letter.isdigit() or letter == ":" for text in texts for letter in text) or texts[0].isalpha()
    return is_sum and _TOTAL.fullmatch(texts[0]) is not None and all(_NUMBER.fullmatch(text) for text in texts[1:])


def _texts(cells: Sequence[str]) -> list[str]:
    return [cell.strip() for cell in cells if cell.strip()]
