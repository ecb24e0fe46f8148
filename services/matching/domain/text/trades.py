"""Finds the trades, acts and places that a text names, by a table of terms in several languages."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

#: Words without a meaning for a trade (es, en, pt, fr, it, de). "sin", "sem", "sans" and "without" have one.
_JOINING: Final = frozenset(
    """
    a al an and ao aos as at au aux avec con com d da das de del dem den der des di do dos du e el em en et for from i
    il im in is it l la las le les lo los mas na nas no nos o of on or os ou our para par pela pelo per por pour s se
    ser sobre som son su sur sus that the their to um uma un una une unas und unos using with y ya your nuestra nuestro
    nuestros nuestras nossa nosso notre votre sua seu
    """.split()  # noqa: SIM905 -- as a list of quoted words nobody could read it
)
#: Words before the purpose or the customer of a thing: "labels for bottles" are labels, no bottles.
_PURPOSE: Final = frozenset({"para", "for", "pour", "que", "qui", "that", "who", "which", "quien", "fur", "per"})
#: Words of a request: "looking for labels" has no purpose before its thing.
REQUEST_WORDS: Final = frozenset(
    """
    alguien alguem asking busca buscamos busco cherche cherchons company companies empresa empresas entreprise look
    looking looks necesita necesitamos necesito need needs pedimos procura procuramos procuro quelqu recherche
    recherchons request search searching someone wanted we
    """.split()  # noqa: SIM905 -- as a list of quoted words nobody could read it
)
_WORD: Final = re.compile(r"[^\W_]+(?:[-&+][^\W_]+)*")
_LETTER_WITH_HYPHEN: Final = re.compile(r"\b([a-z])-(?=[a-z])")
_NO_PURPOSE: Final = 1_000_000
#: Letters of a word by which terms are looked up.
_START: Final = 3

#: Words of a phrase, each with the mark of a beginning: `weld*` is ("weld", True).
Phrase = tuple[tuple[str, bool], ...]


class Words(NamedTuple):
    """Telling words of a text in order, and the number of words before its purpose."""

    words: tuple[str, ...]
    purpose: int


class TradeTerm(NamedTuple):
    """A term of a name: phrases that a text has to contain, all of them, at any place."""

    name: str
    phrases: tuple[Phrase, ...]


def folded(text: str) -> str:
    """Return a text in lower case, without accents and apostrophes; "e-bike" becomes "ebike"."""
    lowered = _LETTER_WITH_HYPHEN.sub(r"\1", text.casefold().replace("\u2019", "'").replace("'", " "))
    return "".join(letter for letter in unicodedata.normalize("NFKD", lowered) if not unicodedata.combining(letter))


def words_of(text: str) -> Words:
    """Return the telling words of a text; the halves of a compound with a hyphen are two words."""
    found: list[str] = []
    purpose = _NO_PURPOSE
    for word in _WORD.findall(folded(text)):
        if word in _PURPOSE and not REQUEST_WORDS.issuperset(found):
            purpose = min(purpose, len(found))
        found += [part for part in word.split("-") if part and part not in _JOINING]
    return Words(tuple(found), purpose)


class TermTable:
    """Names with their terms, read from lines.

    A line is `name: term, term`; `[section]` begins a section, `~name` is a minor name, `#` a remark. A term is one or
    more words; `weld*` is a beginning, and `film+factory` needs both at any place. A name may have several lines.
    """

    def __init__(self, lines: Iterable[str]) -> None:
        self.sections: dict[str, str] = {}
        self._minor: set[str] = set()
        self._terms: list[TradeTerm] = []
        self._by_start: dict[str, list[int]] = {}
        section = ""
        for line in map(str.strip, lines):
            if line.startswith("["):
                section = line[1:-1]
            elif line and not line.startswith("#"):
                self._add(line, section)

    @property
    def minor(self) -> frozenset[str]:
        """Names of materials, customers and qualities: alone they make no trade."""
        return frozenset(self._minor)

    def find(self, words: Sequence[str]) -> dict[str, int]:
        """Return the names in a text with the place of their first word."""
        found: dict[str, int] = {}
        seen: set[int] = set()
        for place, word in enumerate(words):
            for number in self._by_start.get(word[:_START], ()):
                term = self._terms[number]
                if number not in seen and _is_at(words, place, term.phrases[0]):
                    places = [place, *(_place_of(words, phrase) for phrase in term.phrases[1:])]
                    if min(places) >= 0:
                        seen.add(number)
                        found[term.name] = min(found.get(term.name, place), *places)
        return found

    def _add(self, line: str, section: str) -> None:
        name, _, terms = line.partition(":")
        if name.startswith("~"):
            name = name[1:]
            self._minor.add(name)
        self.sections.setdefault(name, section)
        for term in terms.split(","):
            phrases = tuple(filter(None, map(_phrase, term.strip().split("+"))))
            if phrases:
                self._by_start.setdefault(phrases[0][0][0][:_START], []).append(len(self._terms))
                self._terms.append(TradeTerm(name, phrases))


def _phrase(text: str) -> Phrase:
    words: list[tuple[str, bool]] = []
    for word in folded(text).split():
        *starts, last = word.rstrip("*").split("-")
        words += [(start, False) for start in starts if start and start not in _JOINING]
        if last and last not in _JOINING:
            words.append((last, word.endswith("*")))
    return tuple(words)


def _is_at(words: Sequence[str], place: int, phrase: Phrase) -> bool:
    if place + len(phrase) > len(words):
        return False
    return all(
        words[place + number] == word or (is_start and words[place + number].startswith(word))
        for number, (word, is_start) in enumerate(phrase)
    )


def _place_of(words: Sequence[str], phrase: Phrase) -> int:
    return next((place for place in range(len(words)) if _is_at(words, place, phrase)), -1)
