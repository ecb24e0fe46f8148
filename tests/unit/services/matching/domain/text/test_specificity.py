from __future__ import annotations

import pytest

from services.matching.domain.text.specificity import Specificity, vagueness_of


@pytest.mark.parametrize(
    ("item", "lacks"),
    [
        ("Soluciones innovadoras de calidad", Specificity.GENERIC),
        ("Looking for new business partners", Specificity.GENERIC),
        ("Novos clientes e parceiros", Specificity.GENERIC),
        ("Aluminio", Specificity.TOO_SHORT),
        ("We offer", Specificity.TOO_SHORT),
        ("Soluciones innovadoras de soldadura", None),
        ("A distributor of pumps in Chile", None),
        ("センサーを製造しています", None),
    ],
)
def test_what_everybody_could_say_finds_nobody(item: str, lacks: Specificity | None) -> None:
    assert vagueness_of(item) is lacks
