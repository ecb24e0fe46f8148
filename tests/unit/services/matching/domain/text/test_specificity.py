from __future__ import annotations

import pytest

from services.matching.domain.text.specificity import Vagueness, vagueness_of


@pytest.mark.parametrize(
    ("item", "lacks"),
    [
        ("Soluciones innovadoras de calidad", Vagueness.GENERIC),
        ("Looking for new business partners", Vagueness.GENERIC),
        ("Novos clientes e parceiros", Vagueness.GENERIC),
        ("Aluminio", Vagueness.TOO_SHORT),
        ("We offer", Vagueness.TOO_SHORT),
        ("Soluciones innovadoras de soldadura", None),
        ("A distributor of pumps in Chile", None),
        ("センサーを製造しています", None),
    ],
)
def test_what_everybody_could_say_finds_nobody(item: str, lacks: Vagueness | None) -> None:
    assert vagueness_of(item) is lacks
