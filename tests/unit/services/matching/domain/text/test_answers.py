from __future__ import annotations

import numpy as np
import pytest

from services.matching.domain.text.answers.roles import may_trade, role_of_need, role_of_offer
from services.matching.domain.text.answers.rule import RoleRule, has_ground
from services.matching.domain.text.answers.word_vectors import WordVectors, nearness_features
from services.matching.vocabulary import answer_rule, word_vectors

WORDS = WordVectors(["bread", "brot", "steel"], np.array([[1, 0], [0.8, 0.6], [0, 1]], np.float32))


@pytest.fixture(scope="module")
def rule() -> RoleRule:
    found = answer_rule("trades-2")
    assert isinstance(found, RoleRule)
    return found


def excludes(rule: RoleRule, need: str, offer: str) -> bool:
    return rule.excludes(rule.need(need), rule.offer(offer))


def shows(rule: RoleRule, need: str, offer: str) -> bool:
    certainty = rule.certainties([need], [offer], np.full((1, 1), 0.3, np.float32), "any")[0, 0]
    return bool(certainty >= rule.shown_from)


@pytest.mark.parametrize(
    ("need", "offer", "may"),
    [
        ("Buscamos clientes del sector de la robótica", "Células robotizadas de soldadura", False),
        ("We are looking for clients and partners in robotics", "Robotic welding cells", False),
        ("Necesitamos software para gestionar clientes", "Implantamos CRM para pymes", True),
        ("Busco harina de avena", "Compramos avena a agricultores", False),
        ("Quinta procura compradores de amêndoa", "Compramos almendra a agricultores", True),
        ("Quinta procura compradores de amêndoa", "Máquinas de descascar amêndoa", False),
        ("Buscamos distribuidor de bioestimulantes", "Buscamos distribuidores para nuestros abonos", False),
        ("CNC", "CNC machining of parts", False),
    ],
)
def test_one_side_sells_and_the_other_buys(need: str, offer: str, *, may: bool) -> None:
    assert may_trade(role_of_need(need), role_of_offer(offer), offer) is may


def test_an_offer_is_without_what_it_seeks_beside() -> None:
    told = role_of_offer("Fabricamos bombas y buscamos distribuidores en Chile")
    assert told.text == "Fabricamos bombas"


@pytest.mark.parametrize(
    ("need", "offer"),
    [
        ("Buscamos distribuidor en Italia para aceite de oliva", "Fabricamos envasadoras para aceite de oliva"),
        ("Queremos formar a operarios en mantenimiento de robots", "Mantenimiento de robots industriales"),
        ("Buscamos robots de soldadura", "Formación en robots de soldadura"),
        ("Financiación de un proyecto de I+D en baterías", "Financiación de restaurantes"),
    ],
)
def test_a_general_trade_alone_answers_nothing(rule: RoleRule, need: str, offer: str) -> None:
    assert excludes(rule, need, offer) or not shows(rule, need, offer)


def test_a_distributor_of_the_product_and_place_is_shown(rule: RoleRule) -> None:
    need = "Buscamos importador de vinos en Canadá"
    assert shows(rule, need, "Importateur de vins et spiritueux au Québec, agence SAQ")
    assert not shows(rule, need, "Canadian importer of machine tools")


def test_old_limits_of_amounts_and_materials_hold(rule: RoleRule) -> None:
    assert excludes(rule, "Machining of parts of 900 mm", "Machining of parts up to 500 mm")
    assert excludes(rule, "Mecanizado de titanio", "Mecanizado de aluminio")


def test_words_of_near_meaning_meet_and_an_unknown_ending_is_read_by_its_beginning() -> None:
    near = nearness_features(WORDS.read("bread"), WORDS.read("Brot"))
    far = nearness_features(WORDS.read("bread"), WORDS.read("steel"))
    assert near["words_of_need"] == 1
    assert far["words_of_need"] == 0
    assert WORDS.read("steelwork").vectors == pytest.approx(WORDS.read("steel").vectors)
    assert nearness_features(WORDS.read("bread"), WORDS.read("")) == {}


def test_the_table_of_words_joins_languages() -> None:
    table = word_vectors()
    same = nearness_features(table.read("etiquetas adhesivas"), table.read("adhesive labels"))
    other = nearness_features(table.read("etiquetas adhesivas"), table.read("hydraulic presses"))
    assert same["words_of_need"] > other["words_of_need"]


def test_the_same_texts_give_the_same_certainty_bit_for_bit(rule: RoleRule) -> None:
    needs, offers = ["Buscamos etiquetas adhesivas para botellas"], ["Self-adhesive labels for bottles", "Riego"]
    cosines = np.full((1, 2), 0.3, np.float32)
    first = rule.certainties(needs, offers, cosines, "use-1")
    assert np.array_equal(first, rule.certainties(needs, offers, cosines, "use-1"))
    assert np.array_equal(first[:, ::-1], rule.certainties(needs, offers[::-1], cosines, "use-1"))


def test_without_a_shared_trade_both_the_words_and_the_whole_texts_are_near() -> None:
    assert has_ground({"shares_trade": 1.0})
    assert has_ground({"shares_trade": 0.0, "words_of_need": 0.6, "cosine": 0.4})
    assert not has_ground({"shares_trade": 0.0, "words_of_need": 0.6, "cosine": 0.1})
    assert not has_ground({"shares_trade": 0.0, "words_of_need": 0.2, "cosine": 0.4})
    assert not has_ground({"shares_trade": 0.0}), "neither text has a word of the table"
