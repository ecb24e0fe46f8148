"""`tertulia solve` and `tertulia replay`: the scheduling engine on a file, and the agendas that a journal says."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from shared.journal import fold
from shared.journal_store import MongoJournalStore
from shared.mongo import Mongo

if TYPE_CHECKING:
    from services.scheduler.domain.state import AgendaState

app = typer.Typer()
console = Console(stderr=True)


@app.command()
def solve(
    file: Annotated[
        Path, typer.Argument(help="JSON: {edition, organisations, participants, affinities}, event bodies.")
    ],
) -> None:
    """Solve an edition from a file, with nothing running: prints agendas, certificate and violations as JSON."""
    from services.scheduler.solve import BadEditionFile, solve_file  # noqa: PLC0415

    try:
        solved = solve_file(file)
    except BadEditionFile as error:
        console.print(str(error), style="red", markup=False)
        raise typer.Exit(1) from None
    typer.echo(solved.model_dump_json(indent=2))
    raise typer.Exit(1 if solved.violations else 0)


@app.command()
def replay(
    edition: Annotated[str, typer.Argument(help="The edition's id.")],
    upto: Annotated[
        int | None, typer.Option("--seq", min=1, help="As of this journal entry; the last if unset.")
    ] = None,
) -> None:
    """Fold the scheduler's journal of an edition, and print every agenda as of an entry as JSON lines."""
    state = asyncio.run(_folded(edition, upto))
    for participant_id, agenda in sorted(state.agendas.items()):
        typer.echo(f'{{"participant_id":"{participant_id}","agenda":{agenda.model_dump_json()}}}')
    console.print(f"{len(state.agendas)} agendas, {len(state.placements)} encounters", highlight=False)


async def _folded(edition_id: str, upto: int | None) -> AgendaState:
    from services.scheduler.aggregate import AgendaAggregate  # noqa: PLC0415
    from services.scheduler.settings import Settings  # noqa: PLC0415

    settings = Settings()
    mongo = Mongo(settings)
    try:
        entries = await MongoJournalStore(mongo.database(settings.database)).entries(edition_id, after=0)
    finally:
        await mongo.close()
    if not entries:
        console.print(f"no journal of edition {edition_id!r} in {settings.database}", style="red", markup=False)
        raise typer.Exit(1)
    aggregate = AgendaAggregate()
    return fold(aggregate, aggregate.empty(edition_id), [e for e in entries if upto is None or e.seq <= upto])
