from __future__ import annotations

import numpy as np
import pytest

from services.matching.domain.text.activity_words import ActivityWords

ROWS = ("queso, quesería | cheese, dairy", "vino, bodega | wine, winery", "botellas | bottles, glass")
LABELS = (["Operation of dairies"], ["Manufacture of wine"], ["Manufacture of hollow glass"])
WORDS = ActivityWords(ROWS, LABELS)


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("Elaboramos quesos de oveja", 0),
        ("Queserías", 0),
        ("a WINERY", 1),
        ("Botellas para bodegas", 2),
        ("bodegas con botellas", 1),
        ("hollow things", 2),
    ],
)
def test_the_words_of_a_text_tell_its_activity(text: str, row: int) -> None:
    assert int(np.argmax(WORDS.scores(text))) == row


@pytest.mark.parametrize("text", ["", "hola", "empresa líder", "1234", "de la", "ab"])
def test_a_text_without_a_known_word_scores_nothing(text: str) -> None:
    assert WORDS.scores(text).max() == 0
    assert not WORDS.knows(text)


def test_scores_are_shares() -> None:
    scores = WORDS.scores("queso queso quesería cheese dairy vino")
    assert 0 < scores[1] < scores[0] <= 1


def test_a_label_alone_makes_no_word_known() -> None:
    assert not WORDS.knows("hollow things")
    assert WORDS.knows("Una quesería")
