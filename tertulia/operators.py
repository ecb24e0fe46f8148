"""`tertulia operator`: operators of registration's API, their keys and their limits."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console

from shared.runtime.settings import read_settings
from tertulia.connections import Backend, run_connected
from tertulia.output import show_line, show_table, stop

app = typer.Typer(
    no_args_is_help=True, help="Add operators and set their limits; `tertulia key` manages their API keys."
)
console = Console()
errors = Console(stderr=True)
Result = TypeVar("Result")
OperatorId = Annotated[str, typer.Argument(help="Letters, digits, `_` and `-`, at most 64.")]


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a use case of operators and their keys; an error ends the command with a line."""
    from services.registration.domain.errors import Conflict, Invalid  # noqa: PLC0415
    from services.registration.operators import NoSuchKey, NoSuchOperator, OperatorExists  # noqa: PLC0415

    try:
        return run_connected(work, Backend.DATABASE)
    except NoSuchOperator as error:
        stop(errors, f"{error}: add it with `tertulia operator add {error.operator_id} NAME`")
    except NoSuchKey as error:
        stop(errors, f"{error}: `tertulia key list {error.operator_id}` lists its keys")
    except OperatorExists as error:
        stop(errors, f"{error}: `tertulia key add {error.operator_id}` gives it one more key")
    except (Conflict, Invalid, ValueError) as error:
        stop(errors, str(error))


def print_key(key: str) -> None:
    """Print a key with the hint that it is shown once."""
    console.print("The key, shown this once and kept only as a hash:")
    typer.echo(key)


@app.command()
def add(operator_id: OperatorId, name: Annotated[str, typer.Argument(help="For people.")]) -> None:
    """Add an operator, and print its first key."""
    from services.registration.operators import add_operator  # noqa: PLC0415
    from services.registration.settings import Settings  # noqa: PLC0415

    print_key(run(add_operator(read_settings(Settings), operator_id, name)))


@app.command("add-key", hidden=True)
def add_key(operator_id: OperatorId) -> None:
    """Add a key to an operator, and print it. To rotate keys: add a key, change over, revoke the old key."""
    from services.registration import operators  # noqa: PLC0415
    from services.registration.settings import Settings  # noqa: PLC0415

    print_key(run(operators.add_key(read_settings(Settings), operator_id)))


@app.command(hidden=True)
def keys(operator_id: OperatorId) -> None:
    """List the ids of an operator's keys, and which are revoked."""
    from services.registration.operators import list_keys  # noqa: PLC0415
    from services.registration.settings import Settings  # noqa: PLC0415

    found = run(list_keys(read_settings(Settings), operator_id))
    rows = [(key_id, "revoked" if is_revoked else "in use") for key_id, is_revoked in found]
    show_table(console, ("Key", "State"), rows)


@app.command(hidden=True)
def revoke(operator_id: OperatorId, key_id: Annotated[str, typer.Argument(help="As `keys` prints it.")]) -> None:
    """Revoke a key."""
    from services.registration.operators import revoke_key  # noqa: PLC0415
    from services.registration.settings import Settings  # noqa: PLC0415

    run(revoke_key(read_settings(Settings), operator_id, key_id))
    show_line(console, f"{key_id} revoked")


@app.command("list")
def list_all() -> None:
    """List the operators."""
    from services.registration.operators import list_operators  # noqa: PLC0415
    from services.registration.settings import Settings  # noqa: PLC0415

    found = run(list_operators(read_settings(Settings)))
    if found:
        show_table(console, ("Operator", "Name"), [*found.items()])
    else:
        show_line(console, "No operator so far: add one with `tertulia operator add ID NAME`.")


@app.command()
def limits(operator_id: OperatorId) -> None:
    """List the limits of an operator, and which of them differ from the settings."""
    from services.registration.operators import limits_of  # noqa: PLC0415
    from services.registration.settings import Settings  # noqa: PLC0415

    found, own = run(limits_of(read_settings(Settings), operator_id))
    rows = [
        (name, f"{value:g}", "its own" if name in own else "of the settings")
        for name, value in found.model_dump().items()
    ]
    show_table(console, ("Limit", "Value", "Origin"), rows)


@app.command()
def limit(
    operator_id: OperatorId,
    name: Annotated[str, typer.Argument(help="As `limits` prints it, such as `participants`.")],
    value: Annotated[float | None, typer.Argument(help="Left out: the limit of the settings.")] = None,
) -> None:
    """Give an operator a limit of its own."""
    from services.registration.operators import set_limit  # noqa: PLC0415
    from services.registration.settings import Settings  # noqa: PLC0415

    run(set_limit(read_settings(Settings), operator_id, name, value))
    show_line(console, f"{name} of {operator_id}: {'of the settings' if value is None else f'{value:g}'}")
