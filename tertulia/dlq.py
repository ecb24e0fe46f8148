"""`tertulia dlq`: lists dead letters, shows, replays and drops them."""

from __future__ import annotations

from collections.abc import Coroutine
from datetime import datetime
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console

from shared.contract.topics import is_personal
from shared.messaging import dead_letter_admin as dlq_admin
from shared.messaging.dead_letter_admin import DeadLetter, UnknownLetter, UnknownThing
from shared.messaging.topic_log import LogUnreadable
from shared.runtime.settings import ConnectionSettings, read_settings
from tertulia.connections import Backend, NoAnswer, check, run_connected
from tertulia.output import show_line, show_table, stop, utc

app = typer.Typer(no_args_is_help=True, help="List dead letters, send them again, or drop them.")
console = Console()
Result = TypeVar("Result")
LetterId = Annotated[str, typer.Argument(help="The letter's id, from `tertulia dlq list`.")]


def _run(work: Coroutine[Any, Any, Result]) -> Result:
    try:
        return run_connected(work, Backend.BROKER)
    except (LogUnreadable, NoAnswer, UnknownLetter, UnknownThing, TimeoutError) as error:
        stop(console, str(error) or repr(error))


@app.command("list")
def list_letters(
    topic: Annotated[
        str | None, typer.Option(help="Name of a topic, such as affinity.v1; all topics if unset.")
    ] = None,
) -> None:
    """List the dead letters that were neither replayed nor dropped, oldest first.

    The key of an event names its edition and its thing by their ids, such as a participant's. No personal data is
    printed.
    """
    letters = _run(dlq_admin.letters(read_settings(ConnectionSettings), topic))
    if not letters:
        show_line(console, "No dead letters.")
        return
    rows = [_row(letter) for letter in letters]
    show_table(console, ("Letter", "Key", "Cause", "Reason", "At"), rows)


def _row(letter: DeadLetter) -> tuple[str, ...]:
    origin = letter.origin
    at = utc(datetime.fromisoformat(origin.at))
    return letter.letter_id, origin.shown_key, origin.cause, origin.reason, at


@app.command()
def show(letter_id: LetterId) -> None:
    """Print a dead letter: its origin, headers and value. The value may hold personal data."""
    letter = _run(dlq_admin.find(read_settings(ConnectionSettings), letter_id))
    for name, value in [*letter.origin.headers().items(), *letter.headers.items()]:
        show_line(console, f"{name}: {value}")
    show_line(console, (letter.value or b"").decode("utf-8", "backslashreplace"))


@app.command()
def replay(letter_id: LetterId) -> None:
    """Send the record to its topic again, and remove the letter. A newer revision still wins.

    Letters of registration.v1 keep no body: the thing is published as registration's database has it.
    """
    _find_and(letter_id, _replay, "replayed")


@app.command()
def drop(
    letter_id: LetterId,
    yes: Annotated[bool, typer.Option("--yes", help="Drop without asking.")] = False,
) -> None:
    """Remove the letter for good. Its record is lost."""
    if not yes:
        typer.confirm(f"Drop {letter_id}? Its record is lost.", abort=True)
    _find_and(letter_id, dlq_admin.drop, "dropped")


async def _replay(settings: ConnectionSettings, letter: DeadLetter) -> None:
    anew = None
    if is_personal(letter.origin.topic):
        from services.registration.rebuild import record_of_key  # noqa: PLC0415 - only where registration is installed

        await check(Backend.DATABASE, settings)
        anew = await record_of_key(settings, letter.origin.shown_key)
    await dlq_admin.replay(settings, letter, anew)


def _find_and(letter_id: str, act: Any, done: str) -> None:  # noqa: ANN401 - replay or drop
    async def work() -> DeadLetter:
        settings = read_settings(ConnectionSettings)
        letter = await dlq_admin.find(settings, letter_id)
        await act(settings, letter)
        return letter

    show_line(console, f"{_run(work()).letter_id} {done}")
