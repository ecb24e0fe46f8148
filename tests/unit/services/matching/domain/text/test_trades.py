from __future__ import annotations

import pytest

from services.matching.domain.text.trades import TermTable, words_of

TABLE = TermTable(
    """
    # A remark.
    [metal]
    welding: weld*, soldad*
    casting: die cast*
    [media]
    film: film+factory
    ~steel: steel, acero
    ebikes: e-bike*
    """.splitlines()
)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Welded frames", {"welding"}),
        ("Servicio de soldadura en acero", {"welding", "steel"}),
        ("Die-casting of small parts", {"casting"}),
        ("A film about our factory", {"film"}),
        ("A film", set()),
        ("E-bikes for cities", {"ebikes"}),
        ("", set()),
    ],
)
def test_a_text_names_trades_in_any_language(text: str, names: set[str]) -> None:
    assert set(TABLE.find(words_of(text).words)) == names


def test_a_name_is_found_at_its_first_place() -> None:
    assert TABLE.find(words_of("Steel and welded steel").words) == {"steel": 0, "welding": 1}


def test_minor_names_and_sections_are_known() -> None:
    assert TABLE.minor == {"steel"}
    assert TABLE.sections == {
        "welding": "metal",
        "casting": "metal",
        "film": "media",
        "steel": "media",
        "ebikes": "media",
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [("Labels for bottles", 1), ("Looking for labels for bottles", 2), ("Etiquetas autoadhesivas para botes", 2)],
)
def test_the_purpose_of_a_thing_begins_after_its_preposition(text: str, words: int) -> None:
    assert words_of(text).purpose == words


def test_a_text_without_a_purpose_is_all_head() -> None:
    assert words_of("Para bodegas, etiquetas").purpose > len(words_of("Para bodegas, etiquetas").words)
