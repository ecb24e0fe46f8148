"""Spellings of one text: registration finds a name by them, and a mail is not sent for another spelling."""

from __future__ import annotations

import unicodedata


def same_name(name: str) -> str:
    """Return a key that all spellings of a name share: Unicode NFKC, case folded, single blanks, nothing invisible."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return " ".join("".join(letter for letter in folded if unicodedata.category(letter) != "Cf").split())


def similar_name(name: str) -> str:
    """Return a key that spellings of a name share which differ in accents, marks or blanks too."""
    letters = unicodedata.normalize("NFKD", same_name(name))
    return "".join(letter for letter in letters if letter.isalnum())


def is_spelt_alike(text: str | None, other: str | None) -> bool:
    """Tell whether two texts differ in case, accents, marks or blanks at most. Texts of marks alone are compared."""
    if text is None or other is None or text == other:
        return text == other
    key = similar_name(text)
    return bool(key) and key == similar_name(other)
