from __future__ import annotations

from bench.affinities.activities import activities, empty_texts


def test_a_language_s_row_counts_the_first_and_the_first_four() -> None:
    rows = activities(lambda text: ["nace:99.00", "nace:25.62"] if "CNC" in text else [])
    assert [row["task"] for row in rows[:4]] == [f"class of an activity ({name})" for name in ("es", "en", "pt", "fr")]
    assert all(row["top-1"] == 0 and row["top-4"] == round(1 / 60, 3) for row in rows[:4])
    assert rows[-1]["with a code"] == 0


def test_texts_without_an_activity_are_counted_if_they_get_a_code() -> None:
    *_, row = activities(lambda _: ["nace:01.11"])
    assert row["with a code"] == row["texts"] == len(empty_texts())
