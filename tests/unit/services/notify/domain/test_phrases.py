from __future__ import annotations

from dataclasses import asdict
from string import Formatter
from typing import Any

import pytest
from babel import Locale

from services.notify.domain.digest import DiffKind
from services.notify.domain.phrases import PHRASES
from shared.contract.events import Language


def flat(phrases: dict[str, Any], prefix: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in phrases.items():
        found |= flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
    return found


def blanks(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


ENGLISH = flat(asdict(PHRASES[Language.ENGLISH]))


def test_every_language_of_a_participant_has_phrases() -> None:
    assert set(PHRASES) == set(Language)


@pytest.mark.parametrize("language", list(Language))
def test_every_language_has_every_phrase_with_the_same_fields(language: Language) -> None:
    phrases = flat(asdict(PHRASES[language]))
    assert phrases.keys() == ENGLISH.keys()
    assert all(text.strip() for text in phrases.values())
    assert {name: blanks(text) for name, text in phrases.items()} == {name: blanks(t) for name, t in ENGLISH.items()}
    assert set(PHRASES[language].kinds) == set(PHRASES[language].counts) == set(DiffKind)


@pytest.mark.parametrize("language", list(Language))
def test_the_locale_is_of_the_language(language: Language) -> None:
    assert Locale.parse(PHRASES[language].locale).language == language.value
