from __future__ import annotations

import pytest

from services.matching.domain.text.limits import amounts_conflict, amounts_of, hardest


@pytest.mark.parametrize(
    ("need", "offer", "conflict"),
    [
        ("Transporte de depósitos de 2000 mm", "Piezas de hasta 5 toneladas y 600 mm", True),
        ("Transporte de depósitos de 500 mm", "Piezas de hasta 5 toneladas y 600 mm", False),
        ("Piezas de 2 m", "Parts up to 1500 mm", True),
        ("Tornillería en lotes de 100 unidades", "Lotes desde 5000 unidades", True),
        ("Tornillería en lotes de 100 unidades", "Lotes desde 50 unidades", False),
        ("Series de 500 unidades", "Desde prototipos hasta series de 250 unidades", True),
        ("Granza, 20 toneladas al mes", "8 toneladas a la semana", False),
        ("Granza, 50 toneladas al mes", "8 toneladas a la semana", True),
        ("Lotes de 1.000 piezas", "hasta 900 piezas", True),
        ("Entrega en 5 días", "Entrega en 30 días", False),
        ("Bastidores de 5 toneladas", "Series de 50 unidades", False),
    ],
)
def test_an_amount_beyond_a_limit_rules_an_offer_out(need: str, offer: str, conflict: bool) -> None:
    assert amounts_conflict(amounts_of(need), amounts_of(offer)) is conflict


def test_long_rows_of_digits_are_read_in_no_time() -> None:
    assert amounts_of("1" * 5000 + " mm" + "1." * 5000) == ()


def test_titanium_is_harder_than_aluminium() -> None:
    assert hardest({"titanium", "aluminium"}) > hardest({"aluminium"}) > hardest({"welding"})
