from __future__ import annotations

import pytest

from services.matching.observatory.k_anonymity import coarsened_groups, is_publishable, suppressed_counts


@pytest.mark.parametrize(("count", "size", "may"), [(5, 10, True), (4, 10, False), (6, 10, False), (0, 50, False)])
def test_neither_who_has_it_nor_who_has_not_may_be_fewer_than_five(count: int, size: int, may: bool) -> None:
    assert is_publishable(count, size) is may


def test_groups_that_are_too_small_join_what_is_above_them_and_then_the_rest() -> None:
    paths: dict[str, tuple[str, ...]] = {f"metal{n}": ("nace:25", "nace:C") for n in range(6)}
    paths |= {f"food{n}": ("nace:10", "nace:C") for n in range(3)}
    paths |= {f"wood{n}": ("nace:16", "nace:C") for n in range(2)}
    paths |= {f"law{n}": ("nace:69", "nace:M") for n in range(4)} | {"none": ()}
    groups = coarsened_groups(paths)
    assert {group: list(groups.values()).count(group) for group in set(groups.values())} == {
        "nace:25": 6,
        "nace:C": 5,
        None: 5,
    }


def test_a_rest_that_is_too_small_takes_the_smallest_group_along() -> None:
    paths = {f"es{n}": ("ES",) for n in range(9)} | {f"mx{n}": ("MX",) for n in range(6)} | {"pe": ("PE",)}
    groups = coarsened_groups(paths)
    assert groups["pe"] is None
    assert groups["mx0"] is None
    assert groups["es0"] == "ES"


def test_a_hidden_cell_takes_another_along_so_that_the_total_does_not_tell_it() -> None:
    # The total, 26 of 60, would tell that C has 3.
    assert suppressed_counts({"A": (15, 30), "B": (8, 20), "C": (3, 10)}) == {"A": 15, "B": None, "C": None}


def test_hidden_cells_that_are_enough_together_hide_each_other() -> None:
    assert suppressed_counts({"A": (15, 30), "B": (4, 10), "C": (3, 10)}) == {"A": 15, "B": None, "C": None}


def test_where_all_have_it_nothing_is_said() -> None:
    assert suppressed_counts({"A": (20, 20), "B": (18, 20)}) == {"A": None, "B": None}
