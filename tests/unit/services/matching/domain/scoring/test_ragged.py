from __future__ import annotations

import numpy as np
import pytest

from services.matching.domain.scoring.ragged import Ragged


def numbers(*values: int) -> np.ndarray:
    return np.array(values, np.intp)


@pytest.fixture
def ragged() -> Ragged[np.intp]:
    rows: Ragged[np.intp] = Ragged(np.intp)
    rows.put(0, numbers(1, 2))
    rows.put(1, numbers())
    rows.put(2, numbers(3))
    return rows


def test_some_rows_come_with_their_places(ragged: Ragged[np.intp]) -> None:
    values, places = ragged.some(numbers(2, 1, 0))
    assert values.tolist() == [3, 1, 2]
    assert places.tolist() == [0, 2, 2]


def test_a_row_put_again_holds_only_its_new_values(ragged: Ragged[np.intp]) -> None:
    ragged.put(0, numbers(7, 8, 9))
    assert ragged.of(0).tolist() == [7, 8, 9]
    values, places = ragged.all()
    assert values[places == 0].tolist() == [7, 8, 9]


def test_rows_outlive_many_replacements(ragged: Ragged[np.intp]) -> None:
    for turn in range(100):
        ragged.put(turn % 5, np.arange(turn % 4))
    assert [ragged.of(row).tolist() for row in range(5)] == [list(range((95 + row) % 4)) for row in range(5)]
    values, places = ragged.all()
    assert sorted(values[places >= 0]) == sorted(ragged.some(np.arange(5))[0])
