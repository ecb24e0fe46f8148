from __future__ import annotations

import pytest

from services.matching.domain.text.answering import AnswerRule
from services.matching.domain.text.rivalry import OfferedAndNeeded, are_rivals
from services.matching.vocabulary import answer_rule


def profile(offer: str, *needs: str) -> OfferedAndNeeded:
    return OfferedAndNeeded(needs=list(needs), offers=[offer])


@pytest.fixture(scope="module")
def rule() -> AnswerRule:
    found = answer_rule("trades-1")
    assert found is not None
    return found


def rivals(rule: AnswerRule, first: OfferedAndNeeded, second: OfferedAndNeeded) -> bool:
    answer = are_rivals(rule, first, second)
    assert are_rivals(rule, second, first) is answer
    return answer


def test_two_shops_with_the_same_offers_and_needs_are_rivals_in_any_words(rule: AnswerRule) -> None:
    first = profile("Mecanizado CNC de piezas", "Necesitamos herramientas de corte")
    second = profile("We machine parts on five-axis machining centres", "Looking for cutting tools of hard metal")
    assert rivals(rule, first, second)


def test_other_needs_or_other_offers_are_no_rivalry(rule: AnswerRule) -> None:
    machinist = profile("Mecanizado CNC de piezas", "Necesitamos herramientas de corte")
    assert not rivals(rule, machinist, profile("Usinage CNC", "Cherchons un ERP"))
    assert not rivals(rule, machinist, profile("Pintura en polvo", "Necesitamos herramientas de corte"))
    assert not rivals(rule, machinist, profile("Mecanizado CNC de piezas"))


def test_work_at_peaks_is_a_fit(rule: AnswerRule) -> None:
    need = "Necesitamos capacidad externa de mecanizado CNC para picos"
    assert not rivals(
        rule, profile("Mecanizado CNC de piezas según plano", need), profile("CNC machining to drawing", need)
    )


def test_both_looking_for_a_consortium_are_no_rivals(rule: AnswerRule) -> None:
    need = "Buscamos socios para un consorcio europeo"
    assert not rivals(rule, profile("Robótica colaborativa", need), profile("Collaborative robots", need))
