from __future__ import annotations

import pytest

from services.matching.domain.taxonomy import (
    Cooperation,
    code_tokens,
    cooperation_kinds,
    nace_path,
    nace_proximity,
    of_scheme,
)


@pytest.mark.parametrize(
    ("codes", "tokens"),
    [
        ((), set()),
        (("nace:25.62",), {"nace:25", "nace:25.6", "nace:25.62"}),
        (("nace:25",), {"nace:25"}),
        (("ket:robotics", "ket:robotics"), {"ket:robotics"}),
        (("loose",), {"loose"}),
        (("odd:",), {"odd"}),
        (("nace:25.62", "nace:25.61"), {"nace:25", "nace:25.6", "nace:25.61", "nace:25.62"}),
    ],
)
def test_a_code_of_a_classification_stands_for_the_levels_above(codes: tuple[str, ...], tokens: set[str]) -> None:
    assert code_tokens(codes) == tokens


@pytest.mark.parametrize(
    ("code", "path"),
    [
        ("nace:25.62", ("C", "25", "25.6", "25.62")),
        ("nace:25.6", ("C", "25", "25.6")),
        ("nace:01", ("A", "01")),
        ("nace:99.00", ("U", "99", "99.0", "99.00")),
        ("nace:C", ("C",)),
        ("nace:00", ()),
        ("nace:2562", ()),
        ("nace:", ()),
        ("ket:robotics", ()),
        ("nace:25.6٢", ()),
    ],
)
def test_the_path_of_an_activity(code: str, path: tuple[str, ...]) -> None:
    assert nace_path(code) == path


@pytest.mark.parametrize(
    ("one", "other", "proximity"),
    [
        ("nace:25.62", "nace:25.62", 1),
        ("nace:25.62", "nace:25.61", 0.75),
        ("nace:25.62", "nace:25.11", 0.5),
        ("nace:25.62", "nace:28.30", 0.25),
        ("nace:25.62", "nace:62.01", 0),
        ("nace:25", "nace:25", 1),
        ("nace:25", "nace:25.62", 2 / 3),
        ("nace:no", "nace:no", 0),
    ],
)
def test_proximity_is_what_the_paths_share(one: str, other: str, proximity: float) -> None:
    assert nace_proximity(one, other) == nace_proximity(other, one) == pytest.approx(proximity)


def test_a_scheme_is_the_whole_word_before_the_colon() -> None:
    assert of_scheme("ket", ("ket:robotics", "kets:x", "s3:ket:y")) == {"ket:robotics"}


def test_unknown_kinds_of_cooperation_are_ignored() -> None:
    assert cooperation_kinds(("coop:sale", "coop:marriage", "sale")) == {Cooperation.SALE}


def test_sale_answers_purchase() -> None:
    assert {kind.answer for kind in Cooperation} == set(Cooperation)
    assert [kind for kind in Cooperation if kind.answer is not kind] == [Cooperation.SALE, Cooperation.PURCHASE]
