"""Words for the codes of profiles: activities (`nace:25.62`) and key enabling technologies (`ket:robotics`)."""

from __future__ import annotations

import csv
import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

_FOLDER: Final = Path(__file__).parent
#: Languages of the labels of NACE and of technologies.
NACE_LANGUAGES: Final = ("en", "es", "pt", "fr", "it", "de")
#: Languages in which technologies are described too.
DESCRIBED_IN: Final = ("es", "en", "pt", "fr")
#: "Not elsewhere classified" in the six languages: a phrase of statisticians, at the end of a label or inside it.
_NOT_ELSEWHERE: Final = re.compile(r",? (?:n\.e\.c|n\.c\.o\.p|n\.c\.a|n\.e|a\. ?n\. ?g)\b\.?")


@cache
def nace_labels() -> Mapping[str, Mapping[str, str]]:
    """Return the labels of the 615 classes of NACE Rev. 2 by code and language, in the order of the codes."""
    return _table("nace_rev2.csv", ",")


@cache
def nace_level_labels() -> Mapping[str, Mapping[str, str]]:
    """Return our short labels of the sections (`nace:C`) and divisions (`nace:25`), by code and language."""
    return _table("nace_levels.csv", ";")


@cache
def ket_wordings() -> Mapping[str, Mapping[str, list[str]]]:
    """Return the key enabling technologies by code: by language, the label and then descriptions, if any."""
    tables = tomllib.loads((_FOLDER / "kets.toml").read_text(encoding="utf-8"))
    return {f"ket:{name}": wordings for name, wordings in tables.items()}


def label_of(code: str, language: str) -> str:
    """Return the words for a code in a language; empty for a code without a label.

    A group of activities, such as `nace:25.6`, has the words of its only class, else those of its division.
    """
    if code in ket_wordings():
        return ket_wordings()[code].get(language, [""])[0]
    labels = nace_labels().get(code) or nace_level_labels().get(code) or _group_labels().get(code, {})
    return _NOT_ELSEWHERE.sub("", labels.get(language, ""))


@cache
def _group_labels() -> Mapping[str, Mapping[str, str]]:
    """Return the labels of the groups: those of the only class, or of the division."""
    classes: dict[str, list[str]] = {}
    for code in nace_labels():
        classes.setdefault(code[:-1], []).append(code)
    return {
        group: nace_labels()[codes[0]] if len(codes) == 1 else nace_level_labels()[group.partition(".")[0]]
        for group, codes in classes.items()
    }


def _table(name: str, delimiter: str) -> Mapping[str, Mapping[str, str]]:
    with (_FOLDER / name).open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter=delimiter)
        return {f"nace:{row['code']}": {language: row[language].strip() for language in NACE_LANGUAGES} for row in rows}
