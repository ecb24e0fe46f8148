from __future__ import annotations

import pytest

from services.matching.domain.text.confidence import Doubt, doubts_of

EVERYTHING = "Agricultura, energía, salud, TIC, construcción, textil, automoción, turismo, logística, minería"


@pytest.mark.parametrize(
    ("text", "doubt"),
    [
        ("", Doubt.SAYS_NOTHING),
        ("🤝🔩", Doubt.SAYS_NOTHING),
        ("Buscamos empresa", Doubt.SAYS_NOTHING),
        ("steel", Doubt.ONE_WORD),
        ("Soldadura de aluminio para el sector naval. " * 250, Doubt.TOO_LONG),
        ("<p>Soldadura de <b>aluminio</b></p>", Doubt.MARKUP),
        (EVERYTHING, Doubt.LISTS_EVERYTHING),
        ("Euskal enpresa batek altzairuzko piezak behar ditu itsasontzietarako", Doubt.UNKNOWN_LANGUAGE),
        ("जहाजों के लिए एल्यूमीनियम की वेल्डिंग चाहिए", Doubt.UNKNOWN_LANGUAGE),
    ],
)
def test_what_deserves_little_confidence_says_why(text: str, doubt: Doubt) -> None:
    assert doubts_of([text]) == (doubt,)


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
def test_a_plain_item_is_not_doubted(text: str) -> None:
    assert doubts_of([text]) == ()


def test_a_blank_item_beside_one_that_speaks_is_no_matter() -> None:
    assert doubts_of(["", "Soldadura de aluminio"]) == ()
    assert doubts_of([]) == (Doubt.SAYS_NOTHING,)


def test_doubts_of_several_items_come_once_and_in_order() -> None:
    assert doubts_of([EVERYTHING, "steel", "iron"]) == (Doubt.ONE_WORD, Doubt.LISTS_EVERYTHING)
