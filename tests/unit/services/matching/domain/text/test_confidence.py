from __future__ import annotations

import pytest

from services.matching.domain.text.confidence import LowConfidenceReason, low_confidence_reasons

EVERYTHING = "Agricultura, energía, salud, TIC, construcción, textil, automoción, turismo, logística, minería"


@pytest.mark.parametrize(
    ("text", "doubt"),
    [
        ("", LowConfidenceReason.SAYS_NOTHING),
        ("🤝🔩", LowConfidenceReason.SAYS_NOTHING),
        ("Buscamos empresa", LowConfidenceReason.SAYS_NOTHING),
        ("steel", LowConfidenceReason.ONE_WORD),
        ("Soldadura de aluminio para el sector naval. " * 250, LowConfidenceReason.TOO_LONG),
        ("<p>Soldadura de <b>aluminio</b></p>", LowConfidenceReason.MARKUP),
        (EVERYTHING, LowConfidenceReason.LISTS_EVERYTHING),
        ("Euskal enpresa batek altzairuzko piezak behar ditu itsasontzietarako", LowConfidenceReason.UNKNOWN_LANGUAGE),
        ("जहाजों के लिए एल्यूमीनियम की वेल्डिंग चाहिए", LowConfidenceReason.UNKNOWN_LANGUAGE),
    ],
)
def test_low_confidence_has_a_reason(text: str, doubt: LowConfidenceReason) -> None:
    assert low_confidence_reasons([text]) == (doubt,)


@pytest.mark.parametrize(
    "text",
    [
        "Necesitamos soldadura de aluminio para cascos de barcos de pesca",
        "Looking for laser welding of aluminium hulls in the north of Spain",
        "Wir suchen einen Partner für das Schweißen von Aluminium im Schiffbau",
        "Cerquem soldadura d'alumini per a vaixells de pesca petits",
        "アルミニウム溶接を探しています",
        "Нужна сварка алюминия",
        "Soldadura aluminio naval",
    ],
)
def test_a_plain_item_has_no_low_confidence_reason(text: str) -> None:
    assert low_confidence_reasons([text]) == ()


def test_a_blank_item_does_not_lower_confidence() -> None:
    assert low_confidence_reasons(["", "Soldadura de aluminio"]) == ()
    assert low_confidence_reasons([]) == (LowConfidenceReason.SAYS_NOTHING,)


def test_low_confidence_reasons_of_items_are_unique_and_ordered() -> None:
    assert low_confidence_reasons([EVERYTHING, "steel", "iron"]) == (
        LowConfidenceReason.ONE_WORD,
        LowConfidenceReason.LISTS_EVERYTHING,
    )
