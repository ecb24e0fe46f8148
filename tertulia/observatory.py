"""`tertulia observatory`: exports an edition's graph for its operator."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from shared.runtime.settings import read_settings
from shared.storage.aggregate import fold
from tertulia.connections import Backend, run_connected
from tertulia.journals import entries_of

if TYPE_CHECKING:
    from services.matching.domain.state import MatchingState

app = typer.Typer(no_args_is_help=True, help="Export the graph of an edition, for its operator alone.")
console = Console(stderr=True)


class Format(StrEnum):
    """The formats of an export."""

    JSON = "json"
    GRAPHML = "graphml"


@app.callback()
def observatory() -> None:
    """Export the graph of an edition, for its operator alone."""


@app.command()
def export(
    edition: Annotated[str, typer.Argument(help="The edition's id.")],
    form: Annotated[
        Format, typer.Option("--format", help="Format of the file; graph-drawing tools read GraphML.")
    ] = Format.JSON,
    output: Annotated[Path | None, typer.Option(help="File to write; standard output if unset.")] = None,
) -> None:
    """Export affinities, requests, encounters, clusters and gaps, with ids and codes but no names.

    Reads matching's journal alone: the same journal gives the same bytes.
    """
    from services.matching.encoders import default_scorer  # noqa: PLC0415
    from services.matching.observatory.exports import to_graphml, to_json  # noqa: PLC0415
    from services.matching.observatory.leiden import communities  # noqa: PLC0415
    from services.matching.observatory.picture import picture_of  # noqa: PLC0415

    picture = picture_of(run_connected(_folded(edition), Backend.DATABASE), default_scorer(), communities)
    written = to_json(picture) if form is Format.JSON else to_graphml(picture)
    if output:
        output.write_bytes(written)
    else:
        sys.stdout.buffer.write(written)


async def _folded(edition_id: str) -> MatchingState:
    from services.matching.aggregate import MatchingAggregate  # noqa: PLC0415
    from services.matching.domain.decide import Matchmaker  # noqa: PLC0415
    from services.matching.settings import Settings  # noqa: PLC0415

    aggregate = MatchingAggregate(Matchmaker([]))  # nothing is decided here
    return fold(aggregate, aggregate.empty(edition_id), await entries_of(read_settings(Settings), edition_id))
