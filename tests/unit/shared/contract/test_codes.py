from __future__ import annotations

import re

import pytest

from shared.contract.codes import NACE_LANGUAGES, label_of, nace_labels, nace_level_labels


@pytest.mark.parametrize("language", NACE_LANGUAGES)
def test_every_activity_has_words_in_six_languages(language: str) -> None:
    assert len(nace_labels()) == 615
    assert all(labels[language] for labels in nace_labels().values())


@pytest.mark.parametrize("language", NACE_LANGUAGES)
def test_every_level_has_words_in_six_languages(language: str) -> None:
    levels = {code[:length] for code in nace_labels() for length in (len("nace:25"), len("nace:25.6"))}
    assert {code for code in nace_level_labels() if code[5:].isdecimal()} <= levels
    assert len(nace_level_labels()) == 21 + 88
    assert all(label_of(code, language) for code in (*levels, *nace_level_labels()))


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("nace:C", "Verarbeitendes Gewerbe"),
        ("nace:25", "Metallerzeugnisse"),
        ("nace:25.6", "Metallerzeugnisse"),
        ("nace:02.1", "Forstwirtschaft"),
        ("nace:42.99", "Sonstiger Tiefbau"),
    ],
)
def test_every_level_has_words_without_the_jargon_of_statistics(code: str, words: str) -> None:
    assert label_of(code, "de") == words


@pytest.mark.parametrize("language", NACE_LANGUAGES)
def test_no_words_say_not_elsewhere_classified(language: str) -> None:
    assert not [code for code in nace_labels() if re.search(r"\b[a-z]\. ?[a-z]\.", label_of(code, language))]


def test_a_code_is_named_in_the_language_asked_for() -> None:
    assert label_of("nace:25.62", "es") == "Ingeniería mecánica por cuenta de terceros"
    assert label_of("ket:robotics", "fr") == "Robotique"


@pytest.mark.parametrize("code", ["nace", "nace:34", "nace:99.99", "ket:new-thing", "s3:agrifood", ""])
def test_a_code_without_a_label_has_no_words(code: str) -> None:
    assert label_of(code, "en") == ""
