"""Needs and the offers that answer them, in several languages, read from files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import typer


class BadTopics(typer.BadParameter):
    """A file of `--data` is invalid: the message names the line and the problem."""


@dataclass(frozen=True)
class SubjectArea:
    """A need and its offer by language, their sector, and a NACE class or none."""

    name: str
    sector: str
    nace: str
    need: dict[str, str]
    offer: dict[str, str]


def has_topics(folder: Path) -> bool:
    """Tell whether the folder or its folder `matching` has any `need_offer*.jsonl`."""
    return bool(_topic_files(folder))


def read_topics(folder: Path) -> list[SubjectArea]:
    """Return the topics of all `need_offer*.jsonl` of the folder or its folder `matching`; of equal ids the first."""
    files = _topic_files(folder)
    if not files:
        raise BadTopics(f"{folder} has no need_offer*.jsonl")
    topics: dict[str, SubjectArea] = {}
    for file in files:
        for number, line in enumerate(lines_of(file), 1):
            if line.strip():
                topic = _topic(f"{file}:{number}", line)
                topics.setdefault(topic.name, topic)
    if len(topics) < 2:  # noqa: PLR2004 -- with one topic every answer is right
        raise BadTopics(f"{folder} has fewer than two topics")
    return list(topics.values())


def languages_of(topics: Sequence[SubjectArea]) -> list[str]:
    """Return the languages of every need and offer, in the order of the first topic."""
    first = topics[0].need
    common = [
        language for language in first if all(language in topic.need and language in topic.offer for topic in topics)
    ]
    if not common:
        raise BadTopics("the topics have no language in common")
    return common


def _topic_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("need_offer*.jsonl")) or sorted((folder / "matching").glob("need_offer*.jsonl"))


def lines_of(file: Path) -> list[str]:
    """Return the lines of a file."""
    try:
        return file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadTopics(f"{file} cannot be read: {error}") from error


def _topic(place: str, line: str) -> SubjectArea:
    try:
        kept = json.loads(line)
    except json.JSONDecodeError as error:
        raise BadTopics(f"{place}: not JSON: {error}") from error
    if not isinstance(kept, dict):
        raise BadTopics(f"{place}: not an object")
    for role in ("need", "offer"):
        texts = kept.get(role)
        if not isinstance(texts, dict) or not texts or not all(isinstance(text, str) for text in texts.values()):
            raise BadTopics(f"{place}: `{role}` must hold a text by language")
    sector, nace = str(kept.get("cluster", "")), str(kept.get("nace", ""))
    return SubjectArea(str(kept.get("id", place)), sector, nace, kept["need"], kept["offer"])
