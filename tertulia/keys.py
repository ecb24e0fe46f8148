"""`tertulia key`: the API keys of operators."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console

from shared.access import Scope
from shared.contract.fault_words import reason_of
from shared.runtime.clock import utc_now
from shared.runtime.settings import read_settings
from tertulia.operators import OperatorId, print_key, run
from tertulia.output import show_line, show_table, stop, utc

app = typer.Typer(no_args_is_help=True, help="Add, list and revoke the API keys of an operator.")
console = Console()
_errors = Console(stderr=True)


@app.command()
def add(
    operator_id: OperatorId,
    scope: Annotated[
        list[Scope] | None, typer.Option(help="A right of the key, once or several times; all rights if left out.")
    ] = None,
    edition: Annotated[
        list[str] | None, typer.Option(help="An edition that the key opens, once or several times; all if left out.")
    ] = None,
    label: Annotated[str, typer.Option(help="For people, such as the program that uses the key.")] = "command line",
    days: Annotated[int | None, typer.Option(min=1, help="Days after which the key is refused.")] = None,
) -> None:
    """Add a key to an operator, and print it once."""
    from services.registration.keys import KeyFacts  # noqa: PLC0415
    from services.registration.operators import add_key  # noqa: PLC0415
    from services.registration.settings import Settings  # noqa: PLC0415

    expires_at = None if days is None else utc_now() + timedelta(days=days)
    try:
        facts = KeyFacts(
            label=label,
            scopes=tuple(scope or [Scope.OWNER]),
            editions=tuple(edition) if edition else None,
            expires_at=expires_at,
        )
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        stop(_errors, f"{first['loc'][0]}: {reason_of(first)}")
    print_key(run(add_key(read_settings(Settings), operator_id, facts)))


@app.command("list")
def list_keys(operator_id: OperatorId) -> None:
    """List the keys of an operator, with their rights and their last uses."""
    from services.registration.operators import keys_of  # noqa: PLC0415
    from services.registration.settings import Settings  # noqa: PLC0415

    found, uses = run(keys_of(read_settings(Settings), operator_id))
    rows = []
    for key in found:
        state = "revoked" if key.revoked else "expired" if key.is_expired(utc_now()) else "in use"
        ends = utc(key.expires_at) if key.expires_at else "never"
        used = utc(uses[key.id]) if key.id in uses else "never"
        editions = "all" if key.editions is None else " ".join(sorted(key.editions))
        rows.append((key.id, state, key.label, " ".join(sorted(key.scopes)), editions, ends, used))
    show_table(console, ("Key", "State", "Label", "Scopes", "Editions", "Expires", "Last use"), rows)


@app.command()
def revoke(operator_id: OperatorId, key_id: Annotated[str, typer.Argument(help="As `list` prints it.")]) -> None:
    """Revoke a key."""
    from services.registration.operators import revoke_key  # noqa: PLC0415
    from services.registration.settings import Settings  # noqa: PLC0415

    run(revoke_key(read_settings(Settings), operator_id, key_id))
    show_line(console, f"{key_id} revoked")
