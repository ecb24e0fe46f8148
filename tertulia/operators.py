"""`tertulia operator`: who may use registration's API, and with which keys."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console

from tertulia.output import show_line, show_table, stop

app = typer.Typer(no_args_is_help=True, help="Add operators, and add, list or revoke their API keys.")
console = Console()
Result = TypeVar("Result")
OperatorId = Annotated[str, typer.Argument(help="Letters, digits, `_` and `-`, at most 64.")]


def _ask(work: Coroutine[Any, Any, Result]) -> Result:
    from pymongo.errors import PyMongoError  # noqa: PLC0415

    from services.registration.domain.things import Taken  # noqa: PLC0415
    from services.registration.operators import NoSuchOperator  # noqa: PLC0415

    try:
        return asyncio.run(work)
    except (NoSuchOperator, PyMongoError, Taken, ValueError) as error:
        stop(console, f"{type(error).__name__}: {error}")


def _show(key: str) -> None:
    console.print("The key, shown this once and kept only as a hash:")
    typer.echo(key)


@app.command()
def add(operator_id: OperatorId, name: Annotated[str, typer.Argument(help="For people.")]) -> None:
    """Add an operator, and print its first key."""
    from services.registration.operators import add_operator  # noqa: PLC0415
    from services.registration.settings import Settings  # noqa: PLC0415

    _show(_ask(add_operator(Settings(), operator_id, name)))


@app.command("add-key")
def add_key(operator_id: OperatorId) -> None:
    """Give an operator one more key, and print it. To rotate: add, change over, revoke the old one."""
    from services.registration import operators  # noqa: PLC0415
    from services.registration.settings import Settings  # noqa: PLC0415

    _show(_ask(operators.add_key(Settings(), operator_id)))


@app.command()
def keys(operator_id: OperatorId) -> None:
    """The ids of an operator's keys, and which are revoked."""
    from services.registration.operators import list_keys  # noqa: PLC0415
    from services.registration.settings import Settings  # noqa: PLC0415

    found = _ask(list_keys(Settings(), operator_id))
    rows = [(key_id, "revoked" if revoked else "in use") for key_id, revoked in found]
    show_table(console, ("Key", "State"), rows)


@app.command()
def revoke(operator_id: OperatorId, key_id: Annotated[str, typer.Argument(help="As `keys` prints it.")]) -> None:
    """Make a key open nothing any more."""
    from services.registration.operators import revoke_key  # noqa: PLC0415
    from services.registration.settings import Settings  # noqa: PLC0415

    _ask(revoke_key(Settings(), operator_id, key_id))
    show_line(console, f"{key_id} revoked")
