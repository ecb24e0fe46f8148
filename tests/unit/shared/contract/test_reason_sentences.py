from __future__ import annotations

from string import Formatter

import pytest

from shared.contract.codes import ket_wordings, label_of, nace_labels
from shared.contract.events import Language, NeedMet, Reason
from shared.contract.reason_phrases import REASON_PHRASES
from shared.contract.reason_sentences import ReasonGrounds, ReasonSide, reason_line, reason_lines


def side(participant_id: str, language: str = "en", **texts: tuple[str, ...]) -> ReasonSide:
    return ReasonSide(participant_id, Language(language), **texts)


def grounds(
    *reasons: Reason, pair: tuple[str, ...] = ("ann", "bob"), asked: tuple[str, ...] | None = None
) -> ReasonGrounds:
    return ReasonGrounds(pair, reasons, requested=asked is not None, requested_by=asked or ())


def blanks(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


ANN = side("ann", needs=("Aluminium welding.",), offers=("Wine\n tanks",))
BOB = side("bob", "es", needs=("Depósitos",), offers=("Robots", "Soldadura de aluminio"))
TEXT = Reason(
    code="text_need_offer",
    weight=0.5,
    met=(
        NeedMet(participant_id="ann", need=0, offer=1, fit=0.8),
        NeedMet(participant_id="bob", need=0, offer=0, fit=0.6),
    ),
)
KETS = Reason(code="kets", weight=0.05, detail="ket:robotics, ket:new-thing")
SECTOR = Reason(code="sector", weight=0.04, detail="nace:25.61, nace:25.62")
LANGUAGE = Reason(code="common_language", weight=0.05, detail="es")


def told(*reasons: Reason, reader: ReasonSide = ANN, partner: ReasonSide = BOB) -> str:
    return reason_line(grounds(*reasons), reader, partner)


@pytest.mark.parametrize(
    ("asked", "line"),
    [
        ((), "Encuentro pedido por una de las dos partes."),
        (("ann",), "Pidieron reunirse con usted."),
        (("bob",), "Usted pidió este encuentro."),
        (("ann", "bob"), "Ambas partes pidieron este encuentro."),
    ],
)
def test_without_other_reasons_the_request_is_the_reason(asked: tuple[str, ...], line: str) -> None:
    assert reason_line(grounds(LANGUAGE, asked=asked), BOB, ANN) == line


def test_differences_are_nothing_in_common() -> None:
    border = Reason(code="cross_border", weight=0.05, detail="ES, PE")
    helix = Reason(code="helix_complement", weight=0.05, detail="research_group, sme")
    delegation = Reason(code="delegation", weight=0.05, detail="PE")
    assert told(border, helix, delegation) == ""


def test_an_earlier_encounter_in_vain_is_no_reason() -> None:
    assert told(Reason(code="met_before", weight=0)) == ""


def test_activities_of_two_divisions_are_not_called_close() -> None:
    assert told(Reason(code="sector", weight=0.01, detail="nace:25.61, nace:28.99")) == ""


def test_a_whole_section_is_no_common_activity() -> None:
    assert told(Reason(code="sector", weight=0.01, detail="nace:C")) == ""
    assert told(Reason(code="sector", weight=0.01, detail="nace:25")) == "In common: your activity (metal products)."


def test_each_reader_is_told_the_other_s_activity_if_it_is_close() -> None:
    assert told(SECTOR) == "Their activity is close to yours: Machining."
    assert told(SECTOR, reader=BOB, partner=ANN) == (
        "Su actividad es cercana a la de usted: Tratamiento y revestimiento de metales."
    )


@pytest.mark.parametrize(
    ("detail", "to_ann", "to_bob"),
    [
        ("coop:sale", "They look for suppliers, and you for customers.", "Buscan clientes, y usted proveedores."),
        ("coop:purchase", "They look for customers, and you for suppliers.", "Buscan proveedores, y usted clientes."),
        ("coop:purchase, coop:sale", "", ""),
        ("coop:rd", "In common: the cooperation you both seek: R&D project.", None),
        ("coop:rd, coop:sale", "In common: the cooperation you both seek: R&D project.", None),
    ],
)
def test_a_seller_is_told_of_a_buyer_and_a_buyer_of_a_seller(detail: str, to_ann: str, to_bob: str | None) -> None:
    cooperation = Reason(code="cooperation", weight=0.05, detail=detail)
    assert told(cooperation) == to_ann
    if to_bob is not None:
        assert told(cooperation, reader=BOB, partner=ANN) == to_bob


def test_a_request_tells_more_than_that_one_sells_and_the_other_buys() -> None:
    cooperation = Reason(code="cooperation", weight=0.05, detail="coop:sale")
    assert reason_line(grounds(cooperation, asked=("bob",)), ANN, BOB) == "They asked to meet you."


def test_two_sellers_have_nothing_in_common() -> None:
    assert told(Reason(code="shared_codes", weight=0.1, detail="coop:sale")) == ""


def test_a_code_without_words_is_no_reason() -> None:
    assert told(Reason(code="shared_codes", weight=0.1, detail="nace, nace:99.99")) == ""
    assert told(Reason(code="kets", weight=0.1, detail="ket:new-thing")) == ""


def test_a_reader_is_told_the_partner_s_items_alone() -> None:
    assert told(TEXT, KETS, SECTOR, LANGUAGE) == (
        "They offer what you look for (“Soldadura de aluminio”), and look for what you offer (“Depósitos”)."
    )
    assert told(TEXT, KETS, reader=BOB, partner=ANN) == (
        "Ofrecen lo que usted busca («Wine tanks») y buscan lo que usted ofrece («Aluminium welding»)."
    )


def test_both_readers_have_a_line_in_their_language() -> None:
    lines = reason_lines(grounds(KETS), {"ann": ANN, "bob": BOB})
    assert lines == {"ann": "In common: technology: robotics.", "bob": "En común: tecnología: robótica."}
    assert reason_lines(grounds(KETS), {"ann": ANN}) == {}


def test_without_items_the_line_names_what_both_have_in_common() -> None:
    same = Reason(code="sector", weight=0.04, detail="nace:25.62")
    assert told(KETS, same, LANGUAGE) == "In common: technology: robotics; your activity (machining)."


def test_a_weak_fit_is_not_shown_as_a_need_met() -> None:
    weak = Reason(code="text_need_offer", weight=0.1, met=(NeedMet(participant_id="ann", need=0, offer=1, fit=0.4),))
    assert told(weak, LANGUAGE) == ""


@pytest.mark.parametrize(
    ("shown", "fit", "is_told"), [(True, 0.2, True), (False, 0.9, False), (None, 0.9, True), (None, 0.5, False)]
)
def test_matching_decides_what_is_shown_and_the_fit_for_older_versions(
    shown: bool | None, fit: float, is_told: bool
) -> None:
    met = NeedMet(participant_id="ann", need=0, offer=1, fit=fit, shown=shown)
    assert bool(told(Reason(code="text_need_offer", weight=0.1, met=(met,)))) == is_told


def test_items_removed_from_a_profile_are_left_out() -> None:
    assert told(TEXT, reader=side("ann", offers=ANN.offers)) == "They look for what you offer: “Depósitos”."


def test_a_long_item_is_cut_at_a_word() -> None:
    line = told(TEXT, partner=side("bob", needs=("very " * 100,)))
    assert "very…”" in line
    assert len(line) < 260


def test_unknown_reasons_are_left_out() -> None:
    assert told(Reason(code="horoscope", weight=0.3, detail="leo")) == ""


@pytest.mark.parametrize(
    ("language", "met", "common", "near", "requests"),
    [
        (
            "fr",
            "Votre interlocuteur propose ce que vous recherchez : « Robots ».",
            "En commun : technologie : robotique ; l'activité (usinage).",
            "Votre interlocuteur a une activité proche de la vôtre : Traitement et revêtement des métaux.",
            ("Vous avez demandé ce rendez-vous.", "Votre interlocuteur a demandé à vous rencontrer."),
        ),
        (
            "de",
            "Ihr Gegenüber bietet an, was Sie suchen: „Robots“.",
            "Gemeinsamkeiten: Technologie: Robotik; Tätigkeit (Mechanik).",
            "Ihr Gegenüber ist in einem ähnlichen Bereich tätig wie Sie: Oberflächenveredlung und Wärmebehandlung.",
            ("Sie haben um dieses Treffen gebeten.", "Ihr Gegenüber hat um ein Treffen mit Ihnen gebeten."),
        ),
        (
            "it",
            "Offrono ciò che Lei cerca: «Robots».",
            "In comune: tecnologia: robotica; l'attività (lavori di meccanica generale).",
            "La loro attività è vicina alla Sua: Trattamento e rivestimento dei metalli.",
            ("Lei ha chiesto questo incontro.", "Hanno chiesto di incontrarLa."),
        ),
    ],
)
def test_reasons_in_french_german_and_italian(
    language: str, met: str, common: str, near: str, requests: tuple[str, str]
) -> None:
    carl = side("ann", language, needs=ANN.needs, offers=ANN.offers)
    robots = Reason(code="text_need_offer", weight=0.5, met=(NeedMet(participant_id="ann", need=0, offer=0, fit=0.8),))
    same = Reason(code="sector", weight=0.04, detail="nace:25.62")
    assert told(robots, reader=carl) == met
    assert told(KETS, same, reader=carl) == common
    assert reason_line(grounds(SECTOR, pair=("bob", "ann")), carl, BOB) == near
    for participant_id, line in zip(("ann", "bob"), requests, strict=True):
        assert reason_line(grounds(asked=(participant_id,)), carl, BOB) == line


@pytest.mark.parametrize("language", Language)
def test_every_language_has_every_phrase(language: Language) -> None:
    phrases, english = REASON_PHRASES[language], REASON_PHRASES[Language.ENGLISH]
    assert phrases.terms.keys() == english.terms.keys()
    assert phrases.names.keys() == english.names.keys()
    assert all(text.strip() for text in (*phrases.terms.values(), *phrases.names.values()))
    for name in ("they_offer", "they_need", "both", "also", "near", "they_buy", "they_sell"):
        assert blanks(getattr(phrases, name)) == blanks(getattr(english, name))


@pytest.mark.parametrize("language", Language)
def test_every_technology_and_activity_of_a_reason_has_words(language: Language) -> None:
    assert all(label_of(code, language) for code in (*ket_wordings(), *nace_labels()))
