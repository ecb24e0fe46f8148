"""`tertulia training`: what people decided about pairs, to learn the weights of affinities from."""

from __future__ import annotations

import asyncio
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from tertulia.journals import journal_of

if TYPE_CHECKING:
    from services.matching.learning.decisions import PairDecision

app = typer.Typer(no_args_is_help=True, help="What people decided about pairs, without saying who they are.")
console = Console(stderr=True)


@app.callback()
def _training() -> None:
    """Keep `export` a command of its own, beside those to come."""


@app.command()
def export(
    editions: Annotated[list[str] | None, typer.Argument(help="The ids of editions; all if none is given.")] = None,
    output: Annotated[Path | None, typer.Option(help="The file to write; standard output if unset.")] = None,
    key: Annotated[
        str, typer.Option(envvar="TERTULIA_TRAINING_KEY", help="Keys the hashes of pairs; drawn anew if unset.")
    ] = "",
) -> None:
    """Write the decisions on record as JSON lines: terms, and whether shown, requested, accepted, held."""
    told = asyncio.run(_decisions(editions, (key or secrets.token_hex()).encode()[:64]))
    lines = "".join(f"{decision.model_dump_json()}\n" for decision in told)
    if output:
        output.write_text(lines, encoding="utf-8")
    else:
        typer.echo(lines, nl=False)
    console.print(f"{len(told)} decisions of {len({one.edition for one in told})} editions", highlight=False)


async def _decisions(editions: list[str] | None, key: bytes) -> list[PairDecision]:
    from services.matching.learning.decisions import decisions  # noqa: PLC0415
    from services.matching.service import MatchingAggregate  # noqa: PLC0415
    from services.matching.settings import Settings  # noqa: PLC0415

    told = []
    async with journal_of(Settings()) as journal:
        for edition_id in sorted(editions or await journal.editions()):
            entries = await journal.entries(edition_id, after=0)
            packed = (change for entry in entries for change in entry.changes)
            told += decisions(edition_id, map(MatchingAggregate.change_type.validate_python, packed), key)
    return told
