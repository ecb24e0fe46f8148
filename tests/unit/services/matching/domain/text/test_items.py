from __future__ import annotations

import pytest

from services.matching.domain.text.items import LONGEST, Item, items_of
from services.matching.domain.text.scorer import Role

NEED, OFFER = Role.NEED, Role.OFFER


@pytest.mark.parametrize(
    ("text", "roles"),
    [
        ("Buscamos un proveedor de acero", [NEED]),
        ("Almazara quiere automatizar su línea", [NEED]),
        ("We are looking for distributors", [NEED]),
        ("Precisamos de um sócio", [NEED]),
        ("Nous avons besoin d'un atelier", [NEED]),
        ("Fabricamos moldes", [OFFER]),
        ("The group offers training", [OFFER]),
        ("Desenvolvemos programas de visão", [OFFER]),
        ("Nous concevons des capteurs", [OFFER]),
        ("Experts in surface treatment", [OFFER]),
        ("Aluminio y plástico", [None]),
    ],
)
def test_verbs_tell_needs_from_offers(text: str, roles: list[Role | None]) -> None:
    assert [item.role for item in items_of(text)] == roles


@pytest.mark.parametrize(
    ("text", "role"),
    [
        ("Fabricante de bombas busca proveedores de acero", NEED),
        ("Ayudamos a empresas que necesitan ahorrar energía", OFFER),
        ("We help those who need software", OFFER),
        ("Fábrica de cerámica quiere gastar menos", NEED),
        ("Institut de recherche en santé qui propose des essais", None),
    ],
)
def test_a_verb_about_customers_is_no_cue(text: str, role: Role | None) -> None:
    assert [item.role for item in items_of(text)] == [role]


def test_a_sentence_is_split_between_offer_and_need() -> None:
    items = items_of(
        "Fabricamos piezas de aluminio y buscamos distribuidores en Perú, pero también ofrecemos formación."
    )
    assert items == [
        Item("Fabricamos piezas de aluminio", OFFER),
        Item("buscamos distribuidores en Perú", NEED),
        Item("ofrecemos formación", OFFER),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Ofrecemos:\n- Tornos\n- Fresadoras\n\nBuscamos:\n\n• Láser",
        "What we offer\n1. Tornos\n2. Fresadoras\nNeeds\n1) Láser",
        "Offers: Tornos; Fresadoras. Needs: Láser",
        "<b>Ofertas:</b><ul><li>Tornos</li><li>Fresadoras</li></ul><p>Necessidades:</p><p>L&aacute;ser</p>",
        "O que oferecemos: • Tornos • Fresadoras\nO que procuramos: Láser",
    ],
)
def test_titles_give_their_role_to_the_items_below(text: str) -> None:
    assert items_of(text) == [Item("Tornos", OFFER), Item("Fresadoras", OFFER), Item("Láser", NEED)]


def test_abbreviations_end_no_sentence() -> None:
    assert [item.text for item in items_of("Somos Acme S.L. Fabricamos bombas. Buscamos socios")] == [
        "Somos Acme S.L. Fabricamos bombas",
        "Buscamos socios",
    ]


@pytest.mark.parametrize("text", ["", "   \n\t", "🙂🙂", "...", "<p></p>", "• \n - ", "123 456"])
def test_a_piece_without_letters_is_no_item(text: str) -> None:
    assert items_of(text) == []


def test_a_long_item_is_cut_at_a_blank() -> None:
    (item,) = items_of("palabra " * 1000)
    assert LONGEST - 8 <= len(item.text) <= LONGEST
    assert item.text.endswith("palabra")
