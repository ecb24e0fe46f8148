"""The phrases of the mails in every language of participants."""

from __future__ import annotations

from typing import Final

from services.notify.domain.phrases import english, french, german, italian, portuguese, spanish
from services.notify.domain.phrases.causes import CAUSE_PHRASES
from services.notify.domain.phrases.forms import Phrases
from shared.contract.events import Language

__all__ = ["CAUSE_PHRASES", "PHRASES"]

PHRASES: Final[dict[Language, Phrases]] = {
    Language.SPANISH: spanish.PHRASES,
    Language.ENGLISH: english.PHRASES,
    Language.PORTUGUESE: portuguese.PHRASES,
    Language.FRENCH: french.PHRASES,
    Language.GERMAN: german.PHRASES,
    Language.ITALIAN: italian.PHRASES,
}
