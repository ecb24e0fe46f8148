"""Property: the remedy that is named for a waiting encounter, once carried out, places the encounter."""

from __future__ import annotations

from collections import Counter

from bench.remedies import prove


def test_the_remedies_of_200_waiting_encounters_place_them() -> None:
    count = Counter[str]()
    for seed in range(8):
        count.update(prove(seed))
    assert count["still_waiting"] == count["states_changed"] == 0
    assert count["waiting"] >= 200
    assert count["without_remedy"] <= count["waiting"] // 100
