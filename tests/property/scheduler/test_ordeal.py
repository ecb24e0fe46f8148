"""A few of the 100,000 operations of `tertulia bench operations`."""

from __future__ import annotations

import pytest

from bench.operations import stress


@pytest.mark.parametrize("seed", range(1000, 1008))
def test_nothing_goes_wrong_whatever_befalls_an_edition(seed: int) -> None:
    count = stress(seed, 100)
    assert (count["violations"], count["lost_wishes"], count["replays_that_differ"]) == (0, 0, 0)
    assert count["edits"]
