from __future__ import annotations

from string import Formatter
from typing import Any

import pytest

from services.notify.domain.phrases import REASON_PHRASES
from services.notify.domain.reasons import sentences_of
from services.notify.domain.snapshots import ContactSnapshot, MatchSnapshot
from shared.contract.codes import ket_wordings, label_of, nace_labels
from shared.contract.events import Language, NeedMet, Reason


def contact(language: str = "en", **given: Any) -> ContactSnapshot:
    fields = {"revision": 1, "name": "Ann", "email": "ann@example.org", "language": language, "active": True}
    return ContactSnapshot.model_validate(fields | given)


def blanks(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


ANN = contact(needs=("Aluminium welding.",), offers=("Wine\n tanks",))
BOB = contact("es", needs=("Depósitos",), offers=("Robots", "Soldadura de aluminio"))
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


def sentences(
    *reasons: Reason, reader: ContactSnapshot = ANN, partner: ContactSnapshot = BOB, reader_id: str = "ann"
) -> tuple[str, ...]:
    return sentences_of(MatchSnapshot(revision=1, reasons=reasons), reader_id, reader, partner)


@pytest.mark.parametrize(
    ("requested_by", "line"),
    [
        ((), "Encuentro pedido por una de las dos partes."),
        (("ann",), "Pidieron reunirse con usted."),
        (("bob",), "Usted pidió este encuentro."),
        (("ann", "bob"), "Ambas partes pidieron este encuentro."),
    ],
)
def test_without_other_reasons_the_request_is_the_reason(requested_by: tuple[str, ...], line: str) -> None:
    match = MatchSnapshot(revision=1, reasons=(LANGUAGE,), requested=True, requested_by=requested_by)
    assert sentences_of(match, "bob", BOB, ANN) == (line,)


def test_differences_are_nothing_in_common() -> None:
    border = Reason(code="cross_border", weight=0.05, detail="ES, PE")
    helix = Reason(code="helix_complement", weight=0.05, detail="research_group, sme")
    assert sentences(border, helix) == ()


def test_activities_of_two_divisions_are_not_called_close() -> None:
    assert sentences(Reason(code="sector", weight=0.01, detail="nace:25.61, nace:28.99")) == ()


def test_each_reader_is_told_the_other_s_activity_if_it_is_close() -> None:
    match = MatchSnapshot(revision=1, reasons=(SECTOR,), participant_ids=("ann", "bob"))
    assert sentences_of(match, "ann", ANN, BOB) == ("Their activity is close to yours: Machining.",)
    assert sentences_of(match, "bob", BOB, ANN) == (
        "Su actividad es cercana a la de usted: Tratamiento y revestimiento de metales.",
    )


def test_a_code_without_words_is_no_reason() -> None:
    assert sentences(Reason(code="shared_codes", weight=0.1, detail="nace:25, nace:99.99")) == ()
    assert sentences(Reason(code="kets", weight=0.1, detail="ket:new-thing")) == ()


def test_a_reader_is_told_the_partner_s_items_alone() -> None:
    assert sentences(TEXT, KETS, SECTOR, LANGUAGE) == (
        "They offer what you look for (“Soldadura de aluminio”), and look for what you offer (“Depósitos”).",
    )
    assert sentences(TEXT, KETS, reader=BOB, partner=ANN, reader_id="bob") == (
        "Ofrecen lo que usted busca («Wine tanks») y buscan lo que usted ofrece («Aluminium welding»).",
    )


def test_without_items_the_line_names_what_both_have_in_common() -> None:
    same = Reason(code="sector", weight=0.04, detail="nace:25.62")
    assert sentences(KETS, same, LANGUAGE) == ("In common: technology: robotics; your activity (machining).",)


def test_a_weak_fit_is_not_shown_as_a_need_met() -> None:
    weak = Reason(code="text_need_offer", weight=0.1, met=(NeedMet(participant_id="ann", need=0, offer=1, fit=0.4),))
    assert sentences(weak, LANGUAGE) == ()


@pytest.mark.parametrize(("shown", "fit", "lines"), [(True, 0.2, 1), (False, 0.9, 0), (None, 0.9, 1), (None, 0.5, 0)])
def test_matching_decides_what_is_shown_and_the_fit_for_older_versions(
    shown: bool | None, fit: float, lines: int
) -> None:
    met = NeedMet(participant_id="ann", need=0, offer=1, fit=fit, shown=shown)
    assert len(sentences(Reason(code="text_need_offer", weight=0.1, met=(met,)))) == lines


def test_items_removed_from_a_profile_are_left_out() -> None:
    assert sentences(TEXT, reader=contact(needs=(), offers=ANN.offers)) == (
        "They look for what you offer: “Depósitos”.",
    )


def test_a_long_item_is_cut_at_a_word() -> None:
    (line, *_) = sentences(TEXT, partner=contact(needs=("very " * 100,)))
    assert "very…”" in line
    assert len(line) < 260


def test_unknown_reasons_are_left_out() -> None:
    assert sentences(Reason(code="horoscope", weight=0.3, detail="leo")) == ()


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
            "Gemeinsamkeiten: Technologie: Robotik; Tätigkeit (Mechanik a. n. g.).",
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
    carl = contact(language, needs=ANN.needs, offers=ANN.offers)
    robots = Reason(code="text_need_offer", weight=0.5, met=(NeedMet(participant_id="ann", need=0, offer=0, fit=0.8),))
    same = Reason(code="sector", weight=0.04, detail="nace:25.62")
    close = MatchSnapshot(revision=1, reasons=(SECTOR,), participant_ids=("bob", "ann"))
    assert sentences(robots, reader=carl) == (met,)
    assert sentences(KETS, same, reader=carl) == (common,)
    assert sentences_of(close, "ann", carl, BOB) == (near,)
    for participant_id, line in zip(("ann", "bob"), requests, strict=True):
        request = MatchSnapshot(revision=1, reasons=(), requested=True, requested_by=(participant_id,))
        assert sentences_of(request, "ann", carl, BOB) == (line,)


@pytest.mark.parametrize("language", Language)
def test_every_language_has_every_phrase(language: Language) -> None:
    phrases, english = REASON_PHRASES[language], REASON_PHRASES[Language.ENGLISH]
    assert phrases.terms.keys() == english.terms.keys()
    assert phrases.names.keys() == english.names.keys()
    assert all(text.strip() for text in (*phrases.terms.values(), *phrases.names.values()))
    for name in ("they_offer", "they_need", "both", "also", "near"):
        assert blanks(getattr(phrases, name)) == blanks(getattr(english, name))


@pytest.mark.parametrize("language", Language)
def test_every_technology_and_activity_of_a_reason_has_words(language: Language) -> None:
    assert all(label_of(code, language) for code in (*ket_wordings(), *nace_labels()))
