from __future__ import annotations

from dataclasses import asdict
from string import Formatter
from typing import Any

import pytest
from babel import Locale

from services.notify.domain.digest import DiffKind
from services.notify.domain.phrases import PHRASES
from services.notify.domain.snapshots import ContactSnapshot
from shared.contract.events import Language, RemedyKind, WaitingReason
from shared.contract.reason_phrases import REASON_PHRASES
from shared.contract.waiting_phrases import WAITING_PHRASES
from tests.support.notify_stage import participant


def flat(phrases: dict[str, Any], prefix: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in phrases.items():
        found |= flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": str(value)}
    return found


def blanks(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


ENGLISH = flat(asdict(PHRASES[Language.ENGLISH]))


def test_every_language_of_a_participant_has_phrases() -> None:
    assert set(PHRASES) == set(REASON_PHRASES) == set(WAITING_PHRASES) == set(Language)


@pytest.mark.parametrize("language", Language)
def test_mails_are_in_the_first_language_of_the_participant(language: Language) -> None:
    further = next(spoken for spoken in Language if spoken is not language)
    assert ContactSnapshot.of(participant(0, languages=(language, further))).language is language


@pytest.mark.parametrize("language", Language)
def test_every_language_has_every_phrase_with_the_same_fields(language: Language) -> None:
    phrases = flat(asdict(PHRASES[language]))
    assert phrases.keys() == ENGLISH.keys()
    assert all(text.strip() for text in phrases.values())
    assert {name: blanks(text) for name, text in phrases.items()} == {name: blanks(t) for name, t in ENGLISH.items()}
    assert set(PHRASES[language].kinds) == set(PHRASES[language].counts) == set(DiffKind)


@pytest.mark.parametrize("language", Language)
def test_the_locale_is_of_the_language(language: Language) -> None:
    assert Locale.parse(PHRASES[language].locale).language == language.value


@pytest.mark.parametrize("language", Language)
def test_every_language_has_the_phrases_of_every_reason_and_remedy(language: Language) -> None:
    phrases, english = (flat(asdict(WAITING_PHRASES[each])) for each in (language, Language.ENGLISH))
    assert {name: blanks(text) for name, text in phrases.items()} == {name: blanks(t) for name, t in english.items()}
    assert all(text.strip() for text in phrases.values())
    assert set(WAITING_PHRASES[language].reasons) == set(WaitingReason)
    assert set(WAITING_PHRASES[language].steps) == set(RemedyKind)
