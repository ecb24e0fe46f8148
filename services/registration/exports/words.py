"""Words of exports in the reader's language. They are data, in `words.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

from babel import Locale

from services.registration.import_files.vocabulary import ORGANISATION_PREFIX
from services.registration.imports.countries import country_of
from shared.contract.events import Language

_TABLE: Final[Mapping[str, Any]] = tomllib.loads(
    resources.files(__package__).joinpath("words.toml").read_text(encoding="utf-8")
)
_ORDER: Final[tuple[str, ...]] = tuple(_TABLE["order"])


@dataclass(frozen=True)
class ExportWords:
    """The words of a language."""

    language: Language

    def title(self, kind: str) -> str:
        """Return the name of a kind of export."""
        return self._word("titles", kind)

    def heading(self, field: str) -> str:
        """Return the heading of a field, of a person's organisation too."""
        return self._word("headings", field.removeprefix(ORGANISATION_PREFIX))

    def word(self, group: str, value: str) -> str:
        """Return the word of a value, such as of `held` among the `encounter_states`; the value if it has none."""
        return self._word(group, value) if value in _TABLE[group] else value

    def yes_or_no(self, answer: bool) -> str:
        """Return the word of a truth value."""
        return self._word("yes_or_no", str(answer).lower())

    def country(self, code: str) -> str:
        """Return the name of a country; its code if CLDR has none."""
        return str(Locale(self.language.value).territories.get(code, code))

    def language_name(self, code: str) -> str:
        """Return the name of a language; its code if CLDR has none."""
        return str(Locale(self.language.value).languages.get(code, code))

    def _word(self, group: str, key: str) -> str:
        word: str = _TABLE[group][key][_ORDER.index(self.language.value)]
        return word


def language_of(accepted: str) -> Language:
    """Return the first supported language of a header `Accept-Language`; English if it names none."""
    known = {language.value: language for language in Language}
    tags = (part.partition(";")[0].strip().partition("-")[0].lower() for part in accepted.split(","))
    return next((known[tag] for tag in tags if tag in known), Language.ENGLISH)


def countries(words: ExportWords) -> list[str]:
    """List the names of all countries that an import knows, in the order of the alphabet."""
    codes = (str(code) for code in Locale(words.language.value).territories)
    return sorted({words.country(code) for code in codes if country_of(code) == code})


def languages(words: ExportWords) -> list[str]:
    """List the names of the languages in which mails are written."""
    return [words.language_name(language.value) for language in Language]
