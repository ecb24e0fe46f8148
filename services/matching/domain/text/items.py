"""Splits a free text into items: bullets, sentences or clauses, with the role that their words give them."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from services.matching.domain.text.role_cues import clauses, folded, role_in_words, role_of_title
from services.matching.domain.text.scorer import Role

#: The most characters of an item, as in a profile; what is longer is cut at a blank.
LONGEST: Final = 1000
_BREAKING_TAG: Final = re.compile(r"<\s*/?\s*(?:br|p|li|ul|ol|div|h\d|tr)\b[^<>]{0,200}>", re.IGNORECASE)
_TAG: Final = re.compile(r"<[/!a-zA-Z][^<>]{0,500}>")
_BULLET: Final = re.compile(r"^\s*(?:[-*+•·▪●◦‣–—»>✓✔]+|\(?\d{1,2}[.)]|[a-zA-Z]\))\s+")  # noqa: RUF001 -- as typed
_INLINE_BULLET: Final = re.compile(r" [•▪●◦‣✓✔] ?| ?\| ?")
_END: Final = re.compile(r"[!?…;]+\s+|[。！？；]|\.\s+(?=[^\sa-zß-öø-ÿ])")  # noqa: RUF001 -- full stops of ja and zh
_ABBREVIATION: Final = re.compile(r"\b(?:[^\W\d_]|aprox|approx|art|avda?|dra?|eng|fig|ing|no|num|prof|sra?|st)\Z")
_INTRODUCED: Final = re.compile(r"([^:]{2,40}):\s+(?=\S)")


@dataclass(frozen=True)
class Item:
    """A part of a text with a single statement. `role` is None if its words do not tell."""

    text: str
    role: Role | None


def items_of(text: str) -> list[Item]:
    """Return the items of a text in order. Items below a title have its role, unless their own words tell another.

    Total: any text is accepted, mark-up is dropped, and a piece without letters is no item.
    """
    found: list[Item] = []
    below: Role | None = None
    for line in _lines(text):
        for sentence in _sentences(_BULLET.sub("", line)):
            role, rest = _split_title(sentence)
            below = role or below
            found += [Item(piece, role_in_words(piece) or below) for clause in clauses(rest) if (piece := _cut(clause))]
    return found


def plain(text: str) -> str:
    """Return the text without mark-up: tags that break a line become line breaks, all further tags blanks."""
    return html.unescape(_TAG.sub(" ", _BREAKING_TAG.sub("\n", text)))


def _lines(text: str) -> Iterator[str]:
    for line in plain(text).splitlines():
        yield from _INLINE_BULLET.split(" ".join(line.split()))


def _sentences(line: str) -> Iterator[str]:
    start = 0
    for end in _END.finditer(line):
        if end[0][0] == "." and _ABBREVIATION.search(folded(line[start : end.start()])):
            continue
        yield line[start : end.end()].strip()
        start = end.end()
    yield line[start:].strip()


def _split_title(sentence: str) -> tuple[Role | None, str]:
    """Split off a title before a sentence: the role of the title, if any, and the rest."""
    if role := role_of_title(sentence):
        return role, ""
    introduced = _INTRODUCED.match(sentence)
    role = role_of_title(introduced[1]) if introduced else None
    return (role, sentence[introduced.end() :]) if introduced and role else (None, sentence)


def _cut(clause: str) -> str:
    """Trim a clause to the longest item; empty if it has no letters."""
    text = " ".join(clause.split()).strip(" .;,:–—-")  # noqa: RUF001 -- the dashes that people type
    if len(text) > LONGEST:
        text = text[:LONGEST].rsplit(" ", 1)[0]
    return text if any(letter.isalpha() for letter in text) else ""
