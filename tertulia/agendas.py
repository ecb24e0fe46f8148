"""`tertulia solve` and `tertulia replay`: the scheduling engine on a file, and the agendas that a journal says."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from shared.journal import fold
from tertulia.journals import entries_of

if TYPE_CHECKING:
    from services.scheduler.domain.state import AgendaState

app = typer.Typer()
console = Console(stderr=True)


@app.command()
def solve(
    file: Annotated[
        Path,
        typer.Argument(
            help="JSON: {edition, organisations, participants, affinities}, event bodies; or .dzn: a B2B instance."
        ),
    ],
    fairness: Annotated[int, typer.Option(min=0, help="Of a .dzn: how far apart two participants' breaks may be.")] = 2,
    seconds: Annotated[float, typer.Option(min=0.0, help="Of a .dzn: when to stop without a proof.")] = 60.0,
) -> None:
    """Solve an edition from a file, with nothing running: prints agendas, certificate and violations as JSON."""
    if file.suffix == ".dzn":
        _solve_instance(file, fairness, seconds)
        return
    from services.scheduler.solve import BadEditionFile, solve_file  # noqa: PLC0415

    try:
        solved = solve_file(file)
    except BadEditionFile as error:
        console.print(str(error), style="red", markup=False)
        raise typer.Exit(1) from None
    typer.echo(solved.model_dump_json(indent=2))
    raise typer.Exit(1 if solved.violations else 0)


def _solve_instance(file: Path, fairness: int, seconds: float) -> None:
    """Print the slot of each meeting (from 1), the breaks, and what is proven; exit 1 if there is no schedule."""
    from services.scheduler.b2b.instance import Infeasible, violations  # noqa: PLC0415
    from services.scheduler.b2b.reader import BadInstanceFile, read  # noqa: PLC0415
    from services.scheduler.b2b.solve import solve  # noqa: PLC0415

    try:
        instance = read(file)
        solved = solve(instance, fairness, seconds)
    except BadInstanceFile as error:
        console.print(str(error), style="red", markup=False)
        raise typer.Exit(1) from None
    except Infeasible as error:
        typer.echo(json.dumps({"feasible": False, "proven": True, "reason": str(error)}, indent=2))
        raise typer.Exit(1) from None
    found = solved.schedule
    certificate = {
        "breaks": solved.breaks,
        "bound": solved.bound,
        "proven": solved.proven,
        "seconds": round(solved.seconds, 3),
        "seconds_to_best": round(solved.seconds_to_best, 3),
        "violations": violations(instance, found, fairness) if found else {},
        "slots": [slot + 1 for slot in found] if found else None,
    }
    typer.echo(json.dumps(certificate, indent=2))
    raise typer.Exit(0 if found else 1)


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

    entries = await entries_of(Settings(), edition_id)
    aggregate = AgendaAggregate()
    return fold(aggregate, aggregate.empty(edition_id), [e for e in entries if upto is None or e.seq <= upto])
