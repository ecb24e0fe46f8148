"""Codes suggested for short activities in four languages, and none for greetings and slogans."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from bench.affinities import Row, Table

_FOLDER: Final = Path(__file__).parent
#: Task by file: short activities, and sentences of profiles; the sentences of `dev` have served to choose weights.
FILES: Final = {
    "an activity": "activities.txt",
    "a sentence": "sentences.txt",
    "a sentence of the dev half": "sentences_dev.txt",
}
_LANGUAGES: Final = ("es", "en", "pt", "fr")
_FIRST: Final = 4


def activities(suggested: Callable[[str], list[str]]) -> Table:
    """Return a row per file and language with top-1 and top-4, and a row of empty texts.

    `suggested` returns the codes of a text, best first.
    """
    table: Table = []
    for task, name in FILES.items():
        rows = list(labelled_texts(name))
        for number, language in enumerate(_LANGUAGES):
            found = [(suggested(texts[number]), codes) for codes, texts in rows]
            table.append(
                {
                    "task": f"class of {task} ({language})",
                    "who": "profile help",
                    "texts": len(found),
                    "top-1": round(sum(bool(codes & set(answer[:1])) for answer, codes in found) / len(found), 3),
                    "top-4": round(sum(bool(codes & set(answer[:_FIRST])) for answer, codes in found) / len(found), 3),
                }
            )
    coded = sum(bool(suggested(text)) for text in empty_texts())
    row: Row = {"task": "greetings and slogans with a code", "who": "profile help", "texts": len(empty_texts())}
    return [*table, row | {"with a code": coded}]


def empty_texts() -> list[str]:
    """Return texts that name no activity."""
    return _lines("empty_texts.txt")


def labelled_texts(name: str) -> Iterator[tuple[set[str], list[str]]]:
    """Yield the codes of a line of a file, and its texts in es, en, pt and fr."""
    for line in _lines(name):
        codes, _, texts = line.partition(":")
        yield {f"nace:{code}" for code in codes.split()}, [text.strip() for text in texts.split("|")]


def _lines(name: str) -> list[str]:
    lines = (_FOLDER / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]
