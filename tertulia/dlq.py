"""`tertulia dlq`: lists dead letters, shows, replays and drops them."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console

from shared.contract.topics import is_personal
from shared.messaging import dead_letter_admin as dlq_admin
from shared.messaging.dead_letter_admin import DeadLetter, UnknownLetter, UnknownThing
from shared.messaging.dead_letters import DeadLetterCause
from shared.messaging.topic_log import LogUnreadable
from shared.runtime.settings import ConnectionSettings, read_settings
from tertulia.connections import Backend, NoAnswer, check, run_connected
from tertulia.output import show_line, show_table, stop, utc

app = typer.Typer(no_args_is_help=True, help="List dead letters, send them again, or drop them.")
console = Console()
Result = TypeVar("Result")
SINCE_FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ"]
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
def replay(
    letter_id: Annotated[str, typer.Argument(help="The letter's id, from `tertulia dlq list`; or `--all`.")] = "",
    every: Annotated[bool, typer.Option("--all", help="All letters that the further options leave.")] = False,
    topic: Annotated[str | None, typer.Option(help="With `--all`: only this topic, such as affinity.v1.")] = None,
    cause: Annotated[DeadLetterCause | None, typer.Option(help="With `--all`: only this cause.")] = None,
    since: Annotated[
        datetime | None,
        typer.Option(help="With `--all`: only letters from this time on, UTC.", formats=SINCE_FORMATS),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list the letters.")] = False,
) -> None:
    """Send records to their topics again, oldest first, and remove the letters. A newer revision still wins.

    Letters of registration.v1 keep no body: the thing is published as registration's database has it.
    """
    if bool(letter_id) == every:
        raise typer.BadParameter("give the id of a letter, or --all")
    if letter_id and (topic or cause or since):
        raise typer.BadParameter("--topic, --cause and --since choose among all letters: give them with --all")
    if letter_id and not dry_run:
        _find_and(letter_id, _replay, "replayed")
        return
    chosen = _run(_chosen(letter_id, topic, cause, since))
    if not chosen:
        show_line(console, "No dead letters.")
    elif dry_run:
        show_table(console, ("Letter", "Key", "Cause", "Reason", "At"), [_row(letter) for letter in chosen])
        show_line(console, f"{len(chosen)} letters would be replayed.")
    else:
        _run(_replay_all(chosen))


async def _chosen(
    letter_id: str, topic: str | None, cause: DeadLetterCause | None, since: datetime | None
) -> list[DeadLetter]:
    """Return a letter by its id, or the letters that match, oldest first."""
    settings = read_settings(ConnectionSettings)
    if letter_id:
        return [await dlq_admin.find(settings, letter_id)]
    from_ = since.replace(tzinfo=UTC) if since else None
    return [
        letter
        for letter in await dlq_admin.letters(settings, topic)
        if (cause is None or letter.origin.cause == cause.value)
        and (from_ is None or datetime.fromisoformat(letter.origin.at) >= from_)
    ]


async def _replay_all(letters: Sequence[DeadLetter]) -> None:
    """Replay letters one after another. A letter of an unknown thing is named and left."""
    settings = read_settings(ConnectionSettings)
    left = 0
    for letter in letters:
        try:
            await _replay(settings, letter)
        except UnknownThing as error:
            left += 1
            show_line(console, str(error))
    show_line(console, f"{len(letters) - left} replayed, {left} left")
    if left:
        raise typer.Exit(1)


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
