from __future__ import annotations

import pytest

from services.matching.observatory.k_anonymity import coarsened_groups, is_publishable, suppressed_counts


@pytest.mark.parametrize(("count", "size", "may"), [(5, 10, True), (4, 10, False), (6, 10, False), (0, 50, False)])
def test_a_publishable_count_and_its_complement_are_at_least_five(count: int, size: int, may: bool) -> None:
    assert is_publishable(count, size) is may


def test_too_small_groups_join_their_parent_and_then_the_rest() -> None:
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


def test_too_small_a_rest_is_joined_by_the_smallest_group() -> None:
    paths = {f"es{n}": ("ES",) for n in range(9)} | {f"mx{n}": ("MX",) for n in range(6)} | {"pe": ("PE",)}
    groups = coarsened_groups(paths)
    assert groups["pe"] is None
    assert groups["mx0"] is None
    assert groups["es0"] == "ES"


def test_a_second_cell_is_suppressed_if_the_total_would_reveal_the_first() -> None:
    # The total, 26 of 60, would tell that C has 3.
    assert suppressed_counts({"A": (15, 30), "B": (8, 20), "C": (3, 10)}) == {"A": 15, "B": None, "C": None}


def test_suppressed_cells_with_a_publishable_total_need_no_more() -> None:
    assert suppressed_counts({"A": (15, 30), "B": (4, 10), "C": (3, 10)}) == {"A": 15, "B": None, "C": None}


def test_a_property_of_all_members_is_suppressed() -> None:
    assert suppressed_counts({"A": (20, 20), "B": (18, 20)}) == {"A": None, "B": None}
