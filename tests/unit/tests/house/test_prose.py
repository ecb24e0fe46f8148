from pathlib import Path

import pytest

from tests.house.prose import Docstring, counts, is_headless


@pytest.mark.parametrize(
    ("docstring", "headless"),
    [
        ("What is kept of an edition.", True),
        ("Who waits for a table.", True),
        ("All that is known.", True),
        ("Return the best assignment.", False),
        ("Whatever comes: an error.", False),
        ("The participants who wait.", False),
    ],
)
def test_a_docstring_starts_with_a_verb_or_a_noun_phrase(docstring: str, headless: bool) -> None:
    assert is_headless(docstring) is headless


def test_clauses_and_pronouns_are_counted_in_a_thousand_words() -> None:
    text = "Give the seat to whoever has none, and those others wait. " + "Word " * 9
    found = counts([Docstring(Path("module.py"), 1, text)])
    assert (found.headless_starts, found.headless_clauses, found.pronouns) == (0, 50, 100)
