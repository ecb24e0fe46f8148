from __future__ import annotations

import numpy as np
import pytest

from services.matching.domain.text.ngrams import NgramScorer
from services.matching.domain.text.scorer import Role, words_of

SCORER = NgramScorer()


def fit(need: str, offer: str) -> float:
    cosines = SCORER.embed([need], Role.NEED) @ SCORER.embed([offer], Role.OFFER).T
    return float(SCORER.fit(cosines)[0, 0])


@pytest.mark.parametrize(
    ("need", "offer", "other"),
    [
        ("Necesitamos soldadura de aluminio", "Taller de soldadura en aluminio y acero", "Software de nóminas"),
        ("Looking for industrial welding robots", "We integrate welding robots", "We bottle olive oil"),
        ("Procuramos usinagem de precisão", "Mecanizado y usinagem de precisión", "Catering para congresos"),
        ("Busca automatización industrial", "Automação industrial e robótica", "Queijos artesanais"),
    ],
)
def test_an_answering_offer_fits_better_than_an_unrelated_offer(need: str, offer: str, other: str) -> None:
    assert fit(need, offer) > fit(need, other)


@pytest.mark.parametrize("text", ["", "   ", "\n\t", "!!! ---", "🤝🔩", "de la y", "busca empresa", "\u202e\u200b"])
def test_a_text_without_telling_words_fits_nothing(text: str) -> None:
    assert not SCORER.embed([text], Role.NEED).any()
    assert fit(text, text) == 0


@pytest.mark.parametrize("text", ["ñ" * 10_000, "a b " * 2_500, "😀" * 10_000, "\ud800x", "\x00\x00", "漢字" * 100])
def test_hostile_text_gives_a_vector_of_length_one_or_none(text: str) -> None:
    norm = np.linalg.norm(SCORER.embed([text], Role.OFFER)[0])
    assert norm == pytest.approx(1, abs=1e-2) or norm == 0


def test_a_text_has_the_same_vector_in_any_company() -> None:
    texts = [f"pieza número {number} de acero" for number in range(1100)]
    together = SCORER.embed(texts, Role.NEED)
    for at in (0, 511, 512, 1099):
        assert (together[at] == SCORER.embed([texts[at]], Role.NEED)[0]).all()


def test_no_texts_have_no_vectors() -> None:
    assert SCORER.embed([], Role.NEED).shape == (0, SCORER.width)


def test_fit_rises_from_0_to_1() -> None:
    fits = SCORER.fit(np.linspace(-1, 1, 100, dtype=np.float32))
    assert fits[0] == 0
    assert fits[-1] == 1
    assert (np.diff(fits) >= 0).all()


def test_words_are_folded_and_joining_words_left_out() -> None:
    assert words_of("La Fundición de ACERO, y el Diseño 3D en 1000 piezas") == (
        "fundicion",
        "acero",
        "diseno",
        "3d",
        "piezas",
    )
