"""A sample of the 100,000 random operations of `tertulia bench operations`."""

from __future__ import annotations

import pytest

from bench.operations import stress


@pytest.mark.parametrize("seed", range(1000, 1008))
def test_random_operations_break_no_rule_and_lose_no_demand(seed: int) -> None:
    count = stress(seed, 100)
    faults = ("violations", "placed_in_the_past", "lost_wishes", "replays_that_differ")
    assert {fault: count[fault] for fault in faults} == dict.fromkeys(faults, 0)
    assert count["edits"]
