"""Output of the commands: tables that never cut an id, lines that are never broken, and errors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import NoReturn

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

#: A cell of a table: plain text, or styled text. Square brackets in plain text are no markup.
Cell = str | Text


def show_table(console: Console, columns: Sequence[str], rows: Iterable[Sequence[Cell]], title: str = "") -> None:
    """Print a table whose words are never cut or broken, since a word may be an id to copy.

    On a terminal, texts fold between words to fit its width. A table whose words need more is wider than the terminal.
    In a file or a pipe a row is a single line.
    """
    table = Table(title=title or None, title_justify="left")
    texts = [[_text(cell) for cell in row] for row in rows]
    for number, column in enumerate(columns):
        longest = max(_longest_word(text) for text in [Text(column), *(row[number] for row in texts)])
        table.add_column(column, min_width=longest, overflow="fold")
    for row in texts:
        table.add_row(*row)
    needed = table.__rich_measure__(console, console.options.update(width=_UNLIMITED))
    table.width = min(needed.maximum, max(needed.minimum, console.width)) if console.is_terminal else needed.maximum
    console.print(table, crop=False)


def show_line(console: Console, text: str, style: str = "") -> None:
    """Print a text without markup and without added line breaks: an id stays whole."""
    console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)


def utc(moment: datetime | None) -> str:
    """Return an instant in UTC as tables show it, such as `2026-11-20 08:05:00Z`; `-` for none."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z" if moment else "-"


def stop(console: Console, message: str) -> NoReturn:
    """Print an error and end the command with exit code 1."""
    show_line(console, message, style="red")
    raise typer.Exit(1) from None


_UNLIMITED = 100_000


def _text(cell: Cell) -> Text:
    return cell if isinstance(cell, Text) else Text(cell)


def _longest_word(text: Text) -> int:
    return max((Text(word).cell_len for word in text.plain.split()), default=1)
