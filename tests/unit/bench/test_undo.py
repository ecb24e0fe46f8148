"""The benchmark of undone changes, on a small edition."""

from __future__ import annotations

import pytest

from bench import undo
from bench.instances.editions import Size


def test_no_encounter_stands_at_another_hour_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(undo, "_EFFORT", 0.2)
    rows = list(undo.rows(Size("small", 10, 16, 30, 6, 4, days=2)))
    assert [row["slip"] for row in rows] == [slip.name for slip in undo.SLIPS] * 2
    assert [row["at_another_hour_after"] for row in rows] == [0] * len(rows)
    assert any(row["moved"] or row["without_place"] for row in rows)
    assert [row["moved"] for row in rows] == [row["fewest_moves"] for row in rows]
