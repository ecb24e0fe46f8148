"""Countries as people write them: names in the languages of Europe's south and centre, and codes (Unicode CLDR)."""

from __future__ import annotations

import difflib
import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any, Final

from babel import Locale
from babel.core import get_global

_LANGUAGES: Final = ("es", "en", "pt", "fr", "de", "it", "ca", "eu", "gl", "nl", "pl", "ro")
#: Regions of CLDR that are no countries.
_NO_COUNTRIES: Final = frozenset(["AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"])
_CODE: Final = re.compile(r"[A-Z]{2}")
_WORD: Final = re.compile(r"[^\W_]+")
_PARTS: Final = re.compile(r"[|/;,()\[\]\n\u2013\u2014]|\s-\s|\s")
_GROUPS: Final = re.compile(r"[|/;,()\[\]\n\u2013\u2014]|\s-\s")
#: The regional indicator A, and the number of indicators.
_LETTER_A: Final = 0x1F1E6
_FLAG_LETTERS: Final = 26
#: Letters of a code that stands for itself, and fewest letters of a name.
_LETTERS_OF_A_CODE: Final = 3
_LETTERS_OF_A_NAME: Final = 4
_LONGEST: Final = 200

#: Names that CLDR does not list, and words of official names.
_TABLE: Final[Mapping[str, Any]] = tomllib.loads(
    resources.files(__package__).joinpath("countries.toml").read_text(encoding="utf-8")
)
_FILLERS: Final = frozenset(_TABLE["fillers"].split())
_STATE_WORDS: Final = frozenset(_TABLE["state_words"].split())
#: Distinguishing signs of vehicles, as German lists write countries.
_SIGNS: Final = {
    "A": "AT", "B": "BE", "D": "DE", "E": "ES", "F": "FR", "H": "HU", "I": "IT", "L": "LU", "N": "NO", "P": "PT",
    "S": "SE",
}  # fmt: skip
_USED_ELSEWHERE: Final = dict.fromkeys(_TABLE["domains_used_elsewhere"].split(), "")


def country_of(text: str) -> str | None:
    """Return the ISO 3166-1 alpha-2 code of the country that a text names; None if it names none, or several.

    A name, a code or a flag counts in any case; so does a text that names a country in several ways.
    """
    text = _flags_as_codes(text[:_LONGEST])
    if code := _single(text):
        return code
    groups = [part for part in _GROUPS.split(text) if part.strip()]
    for parts in (
        groups,
        [part for part in _PARTS.split(text) if len(part) >= _LETTERS_OF_A_NAME] if len(groups) > 1 else [],
    ):
        codes = [code for part in parts if (code := _single(part))]
        # Two letters may be a part of the country.
        named = {code for part in parts if len(part.strip()) >= _LETTERS_OF_A_CODE and (code := _single(part))} or set(
            codes
        )
        if len(named) == 1:
            return named.pop()
        if named:
            return None
    return None


def suggested(text: str) -> str:
    """Return the English name of the country whose name is most like a text; empty if none is."""
    names, key = _names(), _key(text)
    close = difflib.get_close_matches(key, names, n=1, cutoff=0.8) if len(key) >= _LETTERS_OF_A_NAME else []
    return str(Locale("en").territories[names[close[0]]]) if close else ""


def country_of_zone(timezone: str) -> str | None:
    """Return the country of an IANA time zone; None if it has none, as UTC."""
    code = get_global("zone_territories").get(timezone)
    return code if code in _codes() else None


def country_of_domain(domain: str) -> str | None:
    """Return the country whose top-level domain a domain has; None for further domains."""
    top = domain.rpartition(".")[2].upper()
    return _USED_ELSEWHERE.get(top, "GB" if top == "UK" else top if top in _codes() else "") or None


def _single(text: str) -> str | None:
    stripped = text.strip().strip(".*").upper()
    if stripped in _codes():
        return stripped
    if code := _aliases().get(stripped):
        return code
    names = _names()
    key = _key(text)
    return names.get(key) or names.get(_key(text, without=_STATE_WORDS) or key)


@cache
def _codes() -> frozenset[str]:
    known = map(str, Locale("en").territories)
    return frozenset(code for code in known if _CODE.fullmatch(code)) - _NO_COUNTRIES


@cache
def _aliases() -> dict[str, str]:
    """Codes of three letters or digits (ISO 3166-1), and codes of usual use."""
    found = {"UK": "GB", "EL": "GR"} | _SIGNS
    for alias, codes in get_global("territory_aliases").items():
        if len(alias) == _LETTERS_OF_A_CODE and len(codes) == 1 and codes[0] in _codes():
            found[alias] = codes[0]
    return found


@cache
def _names() -> dict[str, str]:
    names: dict[str, str] = {}
    for code, usual in _TABLE["usual"].items():
        names.update({_key(name): code for name in usual.split(",")})
    for language in _LANGUAGES:
        for code, name in Locale(language).territories.items():
            if code in _codes():
                names.setdefault(_key(name), code)
    # Names of fillers alone, such as `el` of Greece, have no key: each text of fillers would name that country.
    names.pop("", None)
    return names


def _key(text: str, without: frozenset[str] = frozenset()) -> str:
    return " ".join(sorted(word for word in _words(text) if word not in without))


def _words(text: str) -> Iterator[str]:
    plain = unicodedata.normalize("NFKD", text.replace("\u2019", " ").replace("'", " ").replace("ß", "ss"))
    folded = "".join(letter for letter in plain if not unicodedata.combining(letter)).casefold()
    return (word for word in _WORD.findall(folded) if word not in _FILLERS)


def _flags_as_codes(text: str) -> str:
    """Write a flag, a pair of regional indicators, as the code that it stands for."""
    if all(ord(letter) < _LETTER_A for letter in text):
        return text
    letters = (
        chr(ord(letter) - _LETTER_A + ord("A")) if 0 <= ord(letter) - _LETTER_A < _FLAG_LETTERS else f" {letter}"
        for letter in text
    )
    return "".join(letters).replace("  ", " | ").strip()
