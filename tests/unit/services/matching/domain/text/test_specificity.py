from __future__ import annotations

import pytest

from services.matching.domain.text.specificity import SpecificityIssue, specificity_issue


@pytest.mark.parametrize(
    ("item", "lacks"),
    [
        ("Soluciones innovadoras de calidad", SpecificityIssue.GENERIC),
        ("Looking for new business partners", SpecificityIssue.GENERIC),
        ("Novos clientes e parceiros", SpecificityIssue.GENERIC),
        ("Aluminio", SpecificityIssue.TOO_SHORT),
        ("We offer", SpecificityIssue.TOO_SHORT),
        ("Soluciones innovadoras de soldadura", None),
        ("A distributor of pumps in Chile", None),
        ("センサーを製造しています", None),
    ],
)
def test_an_item_of_generic_words_is_unspecific(item: str, lacks: SpecificityIssue | None) -> None:
    assert specificity_issue(item) is lacks
