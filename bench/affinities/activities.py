"""Codes suggested for short activities in four languages, and none for greetings and slogans."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from bench.affinities import Row, Table

_FILE: Final = Path(__file__).with_name("activities.txt")
_LANGUAGES: Final = ("es", "en", "pt", "fr")
_FIRST: Final = 4
#: Texts that name no activity.
EMPTY_TEXTS: Final = (
    "hola",
    "Hola, buenos días",
    "hello",
    "bonjour",
    "Olá, bom dia",
    "test",
    "Juntos hacia el futuro",
    "Su socio de confianza",
    "Quality and innovation for your success",
    "Innovación y calidad al servicio de las personas",
    "L'excellence et la passion",
    "Crescemos juntos",
    "Somos líderes del sector",
)


def activities(suggested: Callable[[str], list[str]]) -> Table:
    """Return a row per language with top-1 and top-4, and a row of empty texts. `suggested`: codes of a text."""
    rows = list(_lines())
    table: Table = []
    for number, language in enumerate(_LANGUAGES):
        found = [(suggested(texts[number]), codes) for codes, texts in rows]
        table.append(
            {
                "task": f"class of an activity ({language})",
                "who": "profile help",
                "texts": len(found),
                "top-1": round(sum(bool(codes & set(answer[:1])) for answer, codes in found) / len(found), 3),
                "top-4": round(sum(bool(codes & set(answer[:_FIRST])) for answer, codes in found) / len(found), 3),
            }
        )
    coded = sum(bool(suggested(text)) for text in EMPTY_TEXTS)
    row: Row = {"task": "greetings and slogans with a code", "who": "profile help", "texts": len(EMPTY_TEXTS)}
    return [*table, row | {"with a code": coded}]


def _lines() -> Iterator[tuple[set[str], list[str]]]:
    for line in _FILE.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            codes, _, texts = line.partition(":")
            yield {f"nace:{code}" for code in codes.split()}, [text.strip() for text in texts.split("|")]
