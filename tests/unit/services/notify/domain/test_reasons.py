from __future__ import annotations

from typing import Any

import pytest

from services.notify.domain.reasons import REASON_PHRASES, sentences_of
from services.notify.domain.snapshots import WRITTEN, ContactSnapshot, MatchSnapshot
from shared.contract.events import Language, NeedMet, Reason


def contact(language: str = "en", **given: Any) -> ContactSnapshot:
    fields = {"revision": 1, "name": "Ann", "email": "ann@example.org", "language": language, "active": True}
    return ContactSnapshot.model_validate(fields | given)


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


def test_without_other_reasons_the_request_is_the_reason() -> None:
    assert sentences_of(MatchSnapshot(revision=1, reasons=(LANGUAGE,), requested=True), "bob", BOB, ANN) == (
        "Encuentro pedido por una de las dos partes.",
    )


def test_activities_of_two_divisions_are_not_called_close() -> None:
    assert sentences(Reason(code="sector", weight=0.01, detail="nace:25.61, nace:28.99")) == ()


def test_items_are_quoted_and_the_rest_is_in_the_reader_s_language() -> None:
    assert sentences(TEXT, KETS, SECTOR, LANGUAGE) == (
        "You need: “Aluminium welding” - They offer: “Soldadura de aluminio”",
        "They need: “Depósitos” - You offer: “Wine tanks”",
        "In common: technology: robotics, new thing; activities close to each other (NACE 25.61, NACE 25.62)",
    )
    assert sentences(TEXT, KETS, reader=BOB, partner=ANN, reader_id="bob") == (
        "Buscan: «Aluminium welding» - Usted ofrece: «Soldadura de aluminio»",
        "Usted busca: «Depósitos» - Ofrecen: «Wine tanks»",
        "En común: tecnología: robótica, new thing",
    )


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
        "They need: “Depósitos” - You offer: “Wine tanks”",
    )


def test_a_long_item_is_cut_at_a_word() -> None:
    (line, *_) = sentences(TEXT, reader=contact(needs=("very " * 100,), offers=ANN.offers))
    assert "very…”" in line
    assert len(line) < 260


def test_unknown_reasons_are_left_out() -> None:
    assert sentences(Reason(code="horoscope", weight=0.3, detail="leo")) == ()


@pytest.mark.parametrize("language", WRITTEN)
def test_every_language_has_every_phrase(language: Language) -> None:
    assert REASON_PHRASES[language].terms.keys() == REASON_PHRASES[Language.ENGLISH].terms.keys()
    assert REASON_PHRASES[language].names.keys() == REASON_PHRASES[Language.ENGLISH].names.keys()
