from __future__ import annotations

import pytest

from shared.contract.codes import NACE_LANGUAGES, label_of, nace_labels


@pytest.mark.parametrize("language", NACE_LANGUAGES)
def test_every_activity_has_words_in_six_languages(language: str) -> None:
    assert len(nace_labels()) == 615
    assert all(labels[language] for labels in nace_labels().values())


def test_a_code_is_named_in_the_language_asked_for() -> None:
    assert label_of("nace:25.62", "es") == "Ingeniería mecánica por cuenta de terceros"
    assert label_of("ket:robotics", "fr") == "Robotique"


@pytest.mark.parametrize("code", ["nace:25", "nace:99.99", "ket:new-thing", "s3:agrifood", ""])
def test_a_code_without_a_label_has_no_words(code: str) -> None:
    assert label_of(code, "en") == ""
