"""Values of cells as people and programs write them."""

from __future__ import annotations

import pytest

from services.registration.imports.contacts import comma_removed, emails_of, own_id, phone_of
from services.registration.imports.countries import country_of
from services.registration.imports.words import NOTHING, yes_or_no


def _wide(digits: str) -> str:
    """Return digits in full width, as East Asian keyboards write them."""
    return "".join(chr(ord(digit) - ord("0") + 0xFF10) for digit in digits)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        # A text of fillers alone was taken for Greece, whose name `el` is a filler.
        ("y", None), ("de la", None),
        ("D", "DE"), ("E", "ES"), ("A", "AT"), ("F", "FR"), ("I", "IT"),
        ("KSA", "SA"), ("P.R. China", "CN"), ("Emiratos Árabes", "AE"), ("Rep. Dominicana", "DO"),
        ("Dominican Rep.", "DO"), ("Slovak Republic", "SK"),
        ("Norge", "NO"), ("Sverige", "SE"), ("Suomi", "FI"), ("Danmark", "DK"), ("Ελλάδα", "GR"), ("Россия", "RU"),
        ("日本", "JP"), ("中国", "CN"), ("Magyarország", "HU"), ("Hrvatska", "HR"), ("Україна", "UA"),
        ("Belgique/België", "BE"), ("España e Italia", None), ("Bosnia e Herzegovina", "BA"),
    ],
)  # fmt: skip
def test_a_country_is_known_by_its_own_name_and_by_usual_signs(text: str, code: str | None) -> None:
    assert country_of(text) == code


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ('"Ruiz, Ana" <ana@acme.example>', ["ana@acme.example"]),
        ('"Ruiz, Ana" <ana@acme.example>; "Gil, Eva" <eva@acme.example>', ["ana@acme.example", "eva@acme.example"]),
        ("ana\uff20acme\uff0eexample", ["ana@acme.example"]),
        ("ana@acme,example", ["ana@acme,example"]),
        ("ana@acme.example.", ["ana@acme.example"]),
        ("Ana Ruiz <ana@acme.example>, eva@acme.example", ["ana@acme.example", "eva@acme.example"]),
    ],
)
def test_addresses_are_taken_out_of_their_cell(text: str, addresses: list[str]) -> None:
    assert emails_of(text) == addresses


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("Ruiz, Ana", "Ana Ruiz"),
        ("RUIZ GÓMEZ, ANA MARÍA", "ANA MARÍA RUIZ GÓMEZ"),
        ("O'Neill-Díaz, Zoë", "Zoë O'Neill-Díaz"),
        ("Ana Ruiz, PhD", "Ana Ruiz, PhD"),
        ("Ana Ruiz, CEO", "Ana Ruiz, CEO"),
        ("Ana Ruiz, Directora", "Ana Ruiz, Directora"),
        ("Acme, S.L.", "Acme, S.L."),
        ("Ruiz, Ana, Gil", "Ruiz, Ana, Gil"),
        ("Ruiz, ", "Ruiz, "),
        ("Ana Ruiz", "Ana Ruiz"),
    ],
)
def test_a_given_name_behind_a_comma_comes_first(name: str, read: str) -> None:
    assert comma_removed(name) == read


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("600112233 (móvil)", "+34 600 11 22 33"),
        ("Tel. 600 112 233", "+34 600 11 22 33"),
        ("600112233.0", "+34 600 11 22 33"),
        (_wide("0034600112233"), "+34 600 11 22 33"),
        ("600112233 - Ana", "+34 600 11 22 33"),
        ("ask for 12345", "ask for 12345"),
    ],
)
def test_a_phone_number_is_found_in_its_cell(text: str, number: str) -> None:
    assert phone_of(text, "ES") == (number, "")


def test_an_id_that_a_program_has_kept_as_a_number_is_recovered_or_left() -> None:
    assert own_id("12345.0") == ("12345", "")
    assert own_id("A-12.50") == ("A-12.50", "")
    assert own_id("0012") == ("0012", "")
    text, doubt = own_id("1,2E+11")
    assert text == ""
    assert "format the cell as text" in doubt.lower()


@pytest.mark.parametrize(
    ("text", "answer"), [("Sí, acepto", True), ("Yes, please", True), ("No, gracias", False), ("maybe, yes", None)]
)
def test_an_answer_may_have_a_word_behind_it(text: str, answer: bool | None) -> None:
    assert yes_or_no(text) is answer


def test_words_for_nothing_count_as_empty() -> None:
    assert {"n/a", "-", "—", "null", "nan", "0", "sin datos", "no aplica", "keine angabe", "sans objet"} <= NOTHING
