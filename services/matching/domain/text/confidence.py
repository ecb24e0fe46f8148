"""Reasons why a score from given texts deserves little confidence."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final

from services.matching.domain.text.scorer import LONGEST, TAG, plain, words_of

#: Small words of the languages in Latin script that the encoders know (es en pt fr it de nl pl tr) or can read (ca gl),
#: folded. A longer text has some.
_SMALL_WORDS: Final = frozenset(
    """
    a al als amb and aan au aus auf avec bei bez bir by che com como con da das dans de dei del della den der des di
    die dla do dos du e een ein eine el els em en entre es et eu for fur gli het i ich icin il ile im in ir is ist it
    je jest la las le les lo los maar mas met mit na nad nao nel niet no nos not nous nuestra nuestro num o of och od
    oder ohne on op or os ou our para pas per pla po pod por pour pro przez que qui se sem ser sie sin sobre som son su
    sur tra te the this to uit um un una und une unsere uns van ve vom von voor we wir with y z za ze zu zum zur
    """.split()  # noqa: SIM905 -- as a list of quoted words nobody could read it
)
_KNOWN_SCRIPTS: Final = frozenset({"ARABIC", "CJK", "CYRILLIC", "HANGUL", "HIRAGANA", "KATAKANA", "LATIN", "THAI"})
_SENTENCE: Final = 6
_ITEMS_OF_ONE: Final = 9


class LowConfidenceReason(StrEnum):
    """Codes of reasons; pages and mails word them."""

    SAYS_NOTHING = "says_nothing"
    ONE_WORD = "one_word"
    TOO_LONG = "too_long"
    MARKUP = "markup"
    LISTS_EVERYTHING = "lists_everything"
    UNKNOWN_LANGUAGE = "unknown_language"


def low_confidence_reasons(texts: Sequence[str]) -> tuple[LowConfidenceReason, ...]:
    """Return the reasons for the needs or the offers of a profile, without repeats, in the order of the enumeration."""
    if not any(words_of(plain(text)) for text in texts):
        return (LowConfidenceReason.SAYS_NOTHING,)
    found = {reason for text in texts for reason in _reasons_of(text)}
    return tuple(reason for reason in LowConfidenceReason if reason in found)


def _reasons_of(text: str) -> Iterable[LowConfidenceReason]:
    if len(text) > LONGEST:
        yield LowConfidenceReason.TOO_LONG
    if TAG.search(text):
        yield LowConfidenceReason.MARKUP
    if len(words_of(plain(text))) == 1 and text.isascii():
        yield LowConfidenceReason.ONE_WORD
    if _separators(text) >= _ITEMS_OF_ONE:
        yield LowConfidenceReason.LISTS_EVERYTHING
    elif not _known_language(text):
        yield LowConfidenceReason.UNKNOWN_LANGUAGE


def _separators(text: str) -> int:
    return sum(text.count(mark) for mark in ",;/|•·\n、")


def _known_language(text: str) -> bool:
    """Tell whether the encoders know the script and, for a sentence in Latin script, whether it has known small words.

    A guess: a short list of nouns has no small words in any language, and counts as known.
    """
    letters = [letter for letter in text[:LONGEST] if letter.isalpha()]
    scripts = [unicodedata.name(letter, "?").split()[0] for letter in letters]
    if sum(script in _KNOWN_SCRIPTS for script in scripts) < len(scripts) / 2:
        return False
    words = [word.strip(".,;:()!?") for word in _folded(text[:LONGEST]).split()]
    if scripts.count("LATIN") < len(scripts) / 2 or len(words) < _SENTENCE:
        return True
    return any(word in _SMALL_WORDS or "'" in word or "\u2019" in word for word in words)


def _folded(text: str) -> str:
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in apart if not unicodedata.combining(letter))
