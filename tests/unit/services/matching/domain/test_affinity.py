from __future__ import annotations

import numpy as np
import pytest

from services.matching.domain.affinity import WEIGHTS, both_ways, code_tokens


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


@pytest.mark.parametrize(("forth", "back", "text"), [(0, 0, 0), (1, 1, 1), (1, 0, 0.7), (0, 1, 0.7), (0.5, 0.5, 0.5)])
def test_one_good_way_is_worth_most(forth: float, back: float, text: float) -> None:
    assert both_ways(np.array([forth]), np.array([back]))[0] == pytest.approx(text)


def test_full_terms_make_a_full_score() -> None:
    assert sum(WEIGHTS.values()) == pytest.approx(1)
