"""`tertulia dlq`: look at dead letters, send them again, or let them go."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Annotated, Any, TypeVar

import typer
from aiokafka.errors import KafkaError
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from shared.messaging import dead_letter_admin as dlq_admin
from shared.messaging.dead_letter_admin import DeadLetter, UnknownLetter
from shared.messaging.topic_log import LogUnreadable
from shared.runtime.settings import ConnectionSettings

app = typer.Typer(no_args_is_help=True, help="Look at dead letters, send them again, or let them go.")
console = Console()
Result = TypeVar("Result")
LetterId = Annotated[str, typer.Argument(help="As `tertulia dlq list` prints it.")]


def _ask(work: Coroutine[Any, Any, Result]) -> Result:
    try:
        return asyncio.run(work)
    except (KafkaError, LogUnreadable, UnknownLetter, TimeoutError) as error:
        console.print(f"[red]{escape(str(error) or repr(error))}[/red]")
        raise typer.Exit(1) from None


@app.command("list")
def list_letters(topic: Annotated[str | None, typer.Option(help="Of this topic only.")] = None) -> None:
    """The dead letters that wait, oldest first."""
    table = Table("DeadLetter", "Cause", "Reason", "At")
    letters = _ask(dlq_admin.letters(ConnectionSettings(), topic))
    for letter in letters:
        origin = letter.origin
        table.add_row(escape(letter.letter_id), origin.cause, escape(origin.reason), origin.at)
    console.print(table if letters else "No dead letters.")


@app.command()
def show(letter_id: LetterId) -> None:
    """One dead letter, whole. It may hold personal data."""
    letter = _ask(dlq_admin.find(ConnectionSettings(), letter_id))
    for name, value in letter.origin.headers().items():
        console.print(f"{name}: {value}", markup=False, highlight=False)
    for name, value in letter.headers.items():
        console.print(f"{name}: {value}", markup=False, highlight=False)
    console.print((letter.value or b"").decode("utf-8", "backslashreplace"), markup=False, highlight=False)


@app.command()
def replay(letter_id: LetterId) -> None:
    """Send the record to its topic again, and take the letter out. A newer revision, if any, still wins."""
    _each(letter_id, dlq_admin.replay, "replayed")


@app.command()
def drop(
    letter_id: LetterId,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Take the letter out for good: what it said is lost."""
    if not yes:
        typer.confirm(f"Drop {letter_id}? What it said is lost.", abort=True)
    _each(letter_id, dlq_admin.drop, "dropped")


def _each(letter_id: str, act: Any, done: str) -> None:  # noqa: ANN401 - replay or drop
    async def work() -> DeadLetter:
        settings = ConnectionSettings()
        letter = await dlq_admin.find(settings, letter_id)
        await act(settings, letter)
        return letter

    console.print(f"{_ask(work()).letter_id} {done}", markup=False)
