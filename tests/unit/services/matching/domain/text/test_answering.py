from __future__ import annotations

import numpy as np
import pytest

from services.matching.domain.text.answering import ANY_SCORER, INTERCEPT, AnswerRule, Tables
from services.matching.domain.text.trades import TermTable
from services.matching.vocabulary import answer_rule

TABLES = Tables(
    TermTable(["[metal]", "machining: machin*", "turning: turned", "painting: paint*", "~titanium: titan*"]),
    TermTable(["sell: sell*"]),
    TermTable(["spain: spain", "chile: chile"]),
    {"turning": frozenset({"machining"})},
)
RULE = AnswerRule(
    "test", TABLES, 0.5, {ANY_SCORER: {INTERCEPT: 0.0, "one_core": 1.0}, "cosines": {INTERCEPT: -1.0, "cosine": 4.0}}
)


def certainty(need: str, offer: str, cosine: float = 0.0, scorer: str = "any") -> float:
    return float(RULE.certainties([need], [offer], np.array([[cosine]], np.float32), scorer)[0, 0])


def test_an_offer_of_another_trade_never_answers() -> None:
    assert certainty("Machining of parts", "Paint shop", cosine=1.0, scorer="cosines") == 0
    assert certainty("Titanium parts", "Titanium powder") == 0, "a material alone is no trade"


def test_an_offer_of_a_narrower_trade_answers_and_not_the_reverse() -> None:
    assert certainty("Machining of parts", "Turned parts") > 0.5
    assert certainty("Turned parts", "Machining of parts") == 0


def test_the_trade_of_a_customer_counts_less_than_one_s_own() -> None:
    assert certainty("Machining", "Machining of parts") > certainty("Machining", "Covers for machining shops")


def test_a_scorer_with_weights_of_its_own_reads_the_cosine() -> None:
    assert certainty("Machining", "Machined parts", 0.9, "cosines") > certainty(
        "Machining", "Machined parts", 0.1, "cosines"
    )
    assert certainty("Machining", "Machined parts", 0.9) == certainty("Machining", "Machined parts", 0.1)


def test_a_harder_material_or_a_larger_part_is_not_answered() -> None:
    assert certainty("Machining of parts of 900 mm", "Machining up to 500 mm") == 0
    assert certainty("Machining", "Machining up to 500 mm") > 0.5


def test_features_tell_acts_and_places_of_both_sides() -> None:
    need, offer = RULE.read("Machining in Chile"), RULE.read("We sell machined parts in Spain")
    features = RULE.features(need, offer)
    assert (features["only_offer_sell"], features["elsewhere"], features["same_place"]) == (1, 1, 0)


@pytest.mark.parametrize("scorer", ["use-1", "use-e5-1", "any"])
def test_the_shipped_rule_tells_a_machine_from_its_spare_parts(scorer: str) -> None:
    rule = answer_rule("trades-1")
    assert rule is not None
    offers = ["Mecanizado CNC de piezas según plano", "Accesorios y recambios para máquinas CNC", "Turismo rural"]
    sure = rule.certainties(["CNC machining of parts to drawing"], offers, np.full((1, 3), 0.3, np.float32), scorer)[0]
    assert [bool(value >= rule.shown_from) for value in sure] == [True, False, False]


def test_an_unknown_version_has_no_rule() -> None:
    assert answer_rule("trades-0") is None
    assert answer_rule("") is None
