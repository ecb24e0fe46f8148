"""Words for the codes of profiles: activities (`nace:25.62`) and key enabling technologies (`ket:robotics`)."""

from __future__ import annotations

import csv
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


@cache
def nace_labels() -> Mapping[str, Mapping[str, str]]:
    """Return the labels of the 615 classes of NACE Rev. 2 by code and language, in the order of the codes."""
    with (_FOLDER / "nace_rev2.csv").open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        return {f"nace:{row['code']}": {name: row[name].strip() for name in NACE_LANGUAGES} for row in rows}


@cache
def ket_wordings() -> Mapping[str, Mapping[str, list[str]]]:
    """Return the key enabling technologies by code: by language, the label and then descriptions, if any."""
    tables = tomllib.loads((_FOLDER / "kets.toml").read_text(encoding="utf-8"))
    return {f"ket:{name}": wordings for name, wordings in tables.items()}


def label_of(code: str, language: str) -> str:
    """Return the words for a code in a language; empty for a code without a label."""
    if code in ket_wordings():
        return ket_wordings()[code].get(language, [""])[0]
    return nace_labels().get(code, {}).get(language, "")
