"""Counters of docstrings that are hard to read, by the rules of CONTRIBUTING.md.

A docstring begins with a verb or a noun phrase, each clause has its noun, and pronouns that leave the reader to guess
are rare. The counters do not judge a sentence: they show where a reader is likely to stop.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_HEADLESS_START = re.compile(r"(What|Who|Whom|Whose|How|Where|When|Whether|Why|Those|All that|As far)\b")
_VERBS = (
    "is|are|was|were|has|had|have|waits?|meets?|wants?|comes?|came|asks?|did|does|may|needs?|joins?|loads?"
    "|they|it|others|somebody|nobody|there"
)
_HEADLESS_CLAUSE = re.compile(rf"\b(who|whom|what|whoever|whatever) ({_VERBS})\b", re.IGNORECASE)
_PRONOUN = re.compile(r"\b(ones?|others?|those|each|nobody|somebody|everybody)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Docstring:
    """A docstring and where its owner is."""

    path: Path
    line: int
    text: str


@dataclass(frozen=True)
class Counts:
    """Shares over all docstrings: headless starts in 100 docstrings; headless clauses and pronouns in 1,000 words."""

    headless_starts: float
    headless_clauses: float
    pronouns: float


def docstrings(files: Iterable[Path]) -> Iterator[Docstring]:
    """Every docstring of some Python files."""
    owners = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for path in files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, owners) and (text := ast.get_docstring(node)):
                yield Docstring(path, getattr(node, "lineno", 1), text)


def counts(found: Sequence[Docstring]) -> Counts:
    """The counters over some docstrings."""
    words = sum(len(docstring.text.split()) for docstring in found) or 1
    starts = sum(is_headless(docstring.text) for docstring in found)
    clauses = sum(len(_HEADLESS_CLAUSE.findall(docstring.text)) for docstring in found)
    pronouns = sum(len(_PRONOUN.findall(docstring.text)) for docstring in found)
    return Counts(100 * starts / (len(found) or 1), 1000 * clauses / words, 1000 * pronouns / words)


def is_headless(docstring: str) -> bool:
    """Tell whether a docstring begins with a clause that has no noun."""
    return _HEADLESS_START.match(docstring.strip()) is not None
