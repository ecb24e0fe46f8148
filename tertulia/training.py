"""`tertulia training`: exports decisions about pairs, from which `tertulia learn` fits weights."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from shared.runtime.settings import read_settings
from tertulia.connections import Backend, run_connected
from tertulia.journals import journal_of
from tertulia.output import show_line

if TYPE_CHECKING:
    from services.matching.learning.decisions import PairDecision

app = typer.Typer(no_args_is_help=True, help="Export decisions about pairs, without their identities.")
console = Console(stderr=True)


@app.callback()
def _training() -> None:
    """Export decisions about pairs, without their identities."""


@app.command()
def export(
    editions: Annotated[
        list[str] | None, typer.Argument(help="Ids of editions; all editions if none is given.")
    ] = None,
    output: Annotated[Path | None, typer.Option(help="File to write; standard output if unset.")] = None,
    key: Annotated[
        str,
        typer.Option(
            envvar="TERTULIA_TRAINING_KEY", help="Secret that keys the hashes of pairs; a random one if unset."
        ),
    ] = "",
) -> None:
    """Write the recorded decisions as JSON lines: terms, and whether shown, requested, accepted, held."""
    found = run_connected(_decisions(editions, (key or secrets.token_hex()).encode()[:64]), Backend.DATABASE)
    lines = "".join(f"{decision.model_dump_json()}\n" for decision in found)
    if output:
        output.write_text(lines, encoding="utf-8")
    else:
        typer.echo(lines, nl=False)
    show_line(console, f"{len(found)} decisions of {len({decision.edition for decision in found})} editions")


async def _decisions(editions: list[str] | None, key: bytes) -> list[PairDecision]:
    from services.matching.aggregate import MatchingAggregate  # noqa: PLC0415
    from services.matching.learning.decisions import pair_decisions  # noqa: PLC0415
    from services.matching.settings import Settings  # noqa: PLC0415

    found = []
    async with journal_of(read_settings(Settings)) as journal:
        for edition_id in sorted(editions or await journal.editions()):
            entries = await journal.entries(edition_id, after=0)
            packed = (change for entry in entries for change in entry.changes)
            found += pair_decisions(edition_id, map(MatchingAggregate.change_type.validate_python, packed), key)
    return found
