"""Names as participants typed them, made fit for a line of a mail."""

from __future__ import annotations

import unicodedata

#: Bidirectional controls (UAX 9): they reorder text on the screen.
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
#: Control characters, line and paragraph separators, surrogates.
_BREAKING = frozenset({"Cc", "Zl", "Zp", "Cs"})


def clean(text: str) -> str:
    """Return the text on one line, without characters that break or reorder it, and without encoded words (RFC 2047).

    A mail library decodes `=?utf-8?q?=0d=0a?=` in a header to a line break, a calendar program in the subject of a
    reminder. With a space in `=?` the text is no encoded word.
    """
    kept = (" " if unicodedata.category(char) in _BREAKING else char for char in text if char not in _BIDI)
    return " ".join("".join(kept).split()).replace("=?", "= ?")
