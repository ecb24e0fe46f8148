from __future__ import annotations

import io

import pytest
from rich.console import Console

from tertulia.output import show_line, show_table

IDS = [f"{kind}_{number:032x}" for number, kind in enumerate(("edn", "prt", "enc", "pair"), 1)]
REASON = "the organisation cancelled and its participants are not available any more"


def shown(*, is_terminal: bool, width: int = 80) -> str:
    file = io.StringIO()
    console = Console(file=file, force_terminal=is_terminal, width=width, color_system=None)
    show_table(console, ("Edition", "Participant", "Encounter", "Pair", "Reason"), [(*IDS, REASON)])
    return file.getvalue()


@pytest.mark.parametrize("is_terminal", [True, False])
def test_no_id_is_cut_or_broken_in_a_table_of_eighty_columns(*, is_terminal: bool) -> None:
    assert [long_id for long_id in IDS if long_id not in shown(is_terminal=is_terminal)] == []


def test_texts_fold_between_words_on_a_terminal() -> None:
    folded = shown(is_terminal=True)
    assert REASON not in folded
    assert all(word in folded for word in REASON.split())


def test_a_row_is_one_line_in_a_file() -> None:
    assert len(shown(is_terminal=False, width=20).splitlines()) == 5


def test_a_table_that_fits_the_terminal_is_not_widened() -> None:
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, width=80, color_system=None)
    show_table(console, ("Key", "State"), [(IDS[0], REASON)])
    assert {len(line) for line in file.getvalue().splitlines()} == {80}


def test_brackets_in_a_cell_or_line_are_no_markup() -> None:
    file = io.StringIO()
    console = Console(file=file, width=80)
    show_table(console, ("What",), [("[red]said[/red]",)])
    show_line(console, f"[red]{'x' * 100}")
    assert "[red]said[/red]" in file.getvalue()
    assert f"[red]{'x' * 100}\n" in file.getvalue()
