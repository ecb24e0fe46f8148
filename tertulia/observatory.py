"""`tertulia observatory`: an edition's graph as a file, for its operator."""

from __future__ import annotations

import asyncio
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from shared.storage.journal import fold
from tertulia.journals import entries_of

if TYPE_CHECKING:
    from services.matching.domain.state import MatchingState

app = typer.Typer(no_args_is_help=True, help="What came of an edition, as a graph: for its operator alone.")
console = Console(stderr=True)


class Format(StrEnum):
    """The formats of an export."""

    JSON = "json"
    GRAPHML = "graphml"


@app.callback()
def observatory() -> None:
    """A group, so that there is room for more than one command."""


@app.command()
def export(
    edition: Annotated[str, typer.Argument(help="The edition's id.")],
    form: Annotated[Format, typer.Option("--format", help="GraphML is read by tools that draw graphs.")] = Format.JSON,
    output: Annotated[Path | None, typer.Option(help="The file to write; standard output if unset.")] = None,
) -> None:
    """Write who fits whom, who asked whom, who met, the clusters and what is missing: ids and codes, no names.

    Made from matching's journal alone, so that the same journal gives the same bytes.
    """
    from services.matching.encoders import default_scorer  # noqa: PLC0415
    from services.matching.observatory.exports import to_graphml, to_json  # noqa: PLC0415
    from services.matching.observatory.leiden import communities  # noqa: PLC0415
    from services.matching.observatory.picture import picture_of  # noqa: PLC0415

    picture = picture_of(asyncio.run(_folded(edition)), default_scorer(), communities)
    written = to_json(picture) if form is Format.JSON else to_graphml(picture)
    if output:
        output.write_bytes(written)
    else:
        sys.stdout.buffer.write(written)


async def _folded(edition_id: str) -> MatchingState:
    from services.matching.domain.decide import Matchmaker  # noqa: PLC0415
    from services.matching.service import MatchingAggregate  # noqa: PLC0415
    from services.matching.settings import Settings  # noqa: PLC0415

    aggregate = MatchingAggregate(Matchmaker([]))  # nothing is decided here
    return fold(aggregate, aggregate.empty(edition_id), await entries_of(Settings(), edition_id))
