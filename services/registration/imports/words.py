"""Words of cells: kinds of organisations, yes and no, languages, and states of a registration, in six languages."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any, Final

from babel import Locale
from babel.core import get_global

from shared.contract.events import Language, OrganisationKind

#: Words of cells. Their file is data: it grows with each list that somebody brings.
WORDS: Final[Mapping[str, Any]] = tomllib.loads(
    resources.files(__package__).joinpath("words.toml").read_text(encoding="utf-8")
)
#: Texts that stand for an empty cell.
NOTHING: Final = frozenset(
    [*WORDS["nothing"].split(), *(phrase.strip() for phrase in WORDS["nothing_phrases"].split(","))]
)
_WORD: Final = re.compile(r"[^\W_]+")
_BRACKETS: Final = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
_LONGEST: Final = 300
#: A bar inside of a regular expression has no blanks around it.
_BETWEEN_WORDS: Final = re.compile(r"\s\|\s")


def plain(text: str) -> str:
    """Return the words of a text in lower case, without accents and punctuation."""
    decomposed = unicodedata.normalize("NFKD", text[:_LONGEST].replace("ß", "ss").replace("_", " "))
    folded = "".join(letter for letter in decomposed if not unicodedata.combining(letter)).casefold()
    return " ".join(_WORD.findall(folded))


_KINDS: Final = tuple(
    (
        OrganisationKind(group["kind"]),
        re.compile(rf"\b(?:{'|'.join(word.strip() for word in _BETWEEN_WORDS.split(group['words']) if word.strip())})"),
    )
    for group in WORDS["kinds"]
)
#: Kinds that an organisation's own name tells reliably; all others are taken for the most usual kind.
_TOLD_BY_NAME: Final = frozenset(
    {OrganisationKind.TECHNOLOGY_CENTRE, OrganisationKind.RESEARCH_GROUP, OrganisationKind.GOVERNMENT}
)
_NAMES_OF_BODIES: Final = re.compile(
    r"\b(?:asociacion|association|cluster|camara|chamber|fundacion|foundation|agencia|agency|federacion|verband|stiftung)"
)


def kind_of(text: str) -> OrganisationKind | None:
    """Return the kind of organisation that a word stands for; None if it stands for none."""
    words = plain(text)
    exact = words.replace(" ", "_")
    if exact in set(OrganisationKind):
        return OrganisationKind(exact)
    return next((kind for kind, pattern in _KINDS if pattern.search(words)), None)


def kind_by_name(name: str) -> OrganisationKind:
    """Return the kind that an organisation's name suggests; an SME if it suggests none."""
    words = plain(name)
    if _NAMES_OF_BODIES.search(words):
        return OrganisationKind.PUBLIC_BODY
    return next(
        (kind for kind, pattern in _KINDS if kind in _TOLD_BY_NAME and pattern.search(words)), OrganisationKind.SME
    )


_YES: Final = frozenset(WORDS["yes"].split())
_NO: Final = frozenset(WORDS["no"].split())


def yes_or_no(text: str) -> bool | None:
    """Return the truth value that a cell stands for; None if it stands for none. An empty cell is no."""
    word = plain(text) or text.strip()
    if not word or word in _NO or text.strip().casefold() in NOTHING:
        return False
    if word in _YES:
        return True
    # "Yes, please", "No, gracias": an answer with a word behind it.
    first = plain(text.partition(",")[0])
    return first in _YES if len(first) > 1 and first in _YES | _NO else None


_PRIORITIES: Final = {
    word: number for number, key in ((1, "low"), (2, "medium"), (3, "high")) for word in WORDS[key].split()
}


def priority_of(text: str) -> int | None:
    """Return the priority that a cell stands for, from 1 to 3; None if it stands for none."""
    return _PRIORITIES.get(plain(text))


_SUPPORTED: Final = tuple(Language)
_SPLIT_LANGUAGES: Final = re.compile(r"[;,|/\n+&·•]|\s(?:y|e|and|und|et|o|or)\s", re.IGNORECASE)


def languages_of(text: str) -> tuple[list[str], list[str]]:
    """Return the codes of the languages that a cell names, in order, and the words that name none."""
    codes: list[str] = []
    unknown: list[str] = []
    for part in _SPLIT_LANGUAGES.split(_BRACKETS.sub(" ", text)):
        found = _languages_in(part)
        codes += [code for code in found if code not in codes]
        if part.strip() and not found:
            unknown.append(part.strip())
    return codes, unknown


def _languages_in(part: str) -> list[str]:
    """Return the languages of a part: a name, a tag, or several codes between blanks."""
    if code := _language(part):
        return [code]
    return [code for word in part.split() if (code := _language(word))]


def _language(text: str) -> str | None:
    key = plain(text)
    names = _language_names()
    if code := names.get(key):
        return code
    first = key.partition(" ")[0]
    if re.fullmatch(r"[A-Za-z]{2,3}[-_][A-Za-z]{2,4}", text.strip()):
        return names.get(first)
    return None


@cache
def _language_names() -> dict[str, str]:
    """Languages by name in the six languages and in their own, by code of two or three letters, and by usual name."""
    names: dict[str, str] = {}
    for code in ("en", "es", "pt", "fr", "de", "it"):
        for language, name in Locale(code).languages.items():
            if len(language) <= 3:  # noqa: PLR2004 - no regional variants
                names.setdefault(plain(name), language)
    for code in ("es", "pt", "fr", "de", "it", "ca", "eu", "gl", "nl", "pl", "ro", "cs", "sv", "da", "tr"):
        names.setdefault(plain(Locale(code).get_display_name() or code), code)
    for alias, targets in get_global("language_aliases").items():
        if len(alias) == 3 and len(targets) == 2:  # noqa: PLR2004 - ISO 639-2 for ISO 639-1
            names.setdefault(alias, targets)
    names.update({str(code): str(code) for code in Locale("en").languages if len(str(code)) == 2})  # noqa: PLR2004
    usual = {"castellano": "es", "castilian": "es", "castella": "es", "spa": "es", "eng": "en", "por": "pt"}
    usual |= {"fra": "fr", "fre": "fr", "deu": "de", "ger": "de", "ita": "it", "cat": "ca", "uk": "en", "gb": "en"}
    usual |= {"us": "en", "br": "pt", "ing": "en", "esp": "es", "fr": "fr", "valenciano": "ca", "brasileiro": "pt"}
    return names | usual


def mailed(codes: list[str]) -> tuple[list[str], list[str]]:
    """Divide languages into the languages of the product, and further languages."""
    known = [code for code in codes if code in set(_SUPPORTED)]
    return known, [code for code in codes if code not in set(_SUPPORTED)]


_GONE: Final = re.compile(rf"\b(?:{'|'.join(WORDS['gone'])})")
_REGISTERED: Final = re.compile(r"\b(?:not|no|non|nicht|un) ?(?:cancel|annul|refund|anulad|storni)")


def is_gone(status: str, heading: str = "") -> bool:
    """Tell whether a state says that the person does not come, or is to be paid back."""
    words = plain(status)
    if plain(heading) in {"cancelled", "canceled", "refunded", "anulado", "cancelado", "voided", "void"}:
        return yes_or_no(status) is True
    if plain(heading) == "attending":
        return words in _NO
    return _GONE.search(words) is not None and _REGISTERED.search(words) is None
