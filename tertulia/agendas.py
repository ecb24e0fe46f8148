"""`tertulia solve` and `tertulia agenda`: the scheduling engine on a file, and the agendas that a journal says."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Table

from shared.storage.journal import Entry, fold
from tertulia.journals import entries_of

if TYPE_CHECKING:
    from services.scheduler.domain.snapshots import PublishedAgenda
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
    from bench.b2b.instance import Infeasible, violations  # noqa: PLC0415
    from bench.b2b.reader import BadInstanceFile, read  # noqa: PLC0415
    from bench.b2b.solve import solve  # noqa: PLC0415

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
def agenda(
    edition: Annotated[str, typer.Argument(help="The edition's id.")],
    at: Annotated[
        str | None, typer.Option(help="As of this instant, such as 2026-11-19T09:00+01:00; now if unset.")
    ] = None,
    seq: Annotated[int | None, typer.Option(min=1, help="As of this journal entry; the last if unset.")] = None,
    participant: Annotated[str | None, typer.Option(help="Of this participant only.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="A line of JSON for each participant.")] = False,
) -> None:
    """Fold the scheduler's journal of an edition, and print its agendas as of any instant, as they were published."""
    instant = _instant(at)
    entries = asyncio.run(_entries(edition))
    known = list(
        itertools.takewhile(
            lambda entry: (seq is None or entry.seq <= seq) and (instant is None or entry.at <= instant), entries
        )
    )
    if not known:
        console.print(f"edition {edition!r} begins at {entries[0].at.isoformat()}: nothing is before", style="red")
        raise typer.Exit(1)
    state = _state(edition, known)
    agendas = {one: told for one, told in sorted(state.agendas.items()) if participant in {None, one}}
    if participant is not None and not agendas:
        console.print(f"{participant!r} had no agenda at entry {known[-1].seq}", style="red", markup=False)
        raise typer.Exit(1)
    if as_json:
        for one, told in agendas.items():
            typer.echo(f'{{"participant_id":"{one}","agenda":{told.model_dump_json()}}}')
    else:
        Console().print(_table(state, agendas))
    console.print(
        f"{len(agendas)} agendas, {len(state.placements)} encounters, as of entry {known[-1].seq} "
        f"at {known[-1].at.isoformat(timespec='seconds')}",
        highlight=False,
    )


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not ISO 8601", param_hint="--at") from None
    if instant.tzinfo is None:
        raise typer.BadParameter(f"{text!r} has no offset: say {text}Z or {text}+01:00", param_hint="--at")
    return instant


async def _entries(edition_id: str) -> list[Entry]:
    from services.scheduler.settings import Settings  # noqa: PLC0415

    return await entries_of(Settings(), edition_id)


def _state(edition_id: str, entries: Sequence[Entry]) -> AgendaState:
    from services.scheduler.aggregate import AgendaAggregate  # noqa: PLC0415

    aggregate = AgendaAggregate()
    return fold(aggregate, aggregate.empty(edition_id), entries)


def _table(state: AgendaState, agendas: Mapping[str, PublishedAgenda]) -> Table:
    """The lines of agendas, in the edition's local time."""
    zone = ZoneInfo(state.edition.timezone if state.edition else "UTC")
    table = Table("Participant", "Revision", "Begins", "Ends", "Where", "What")
    for participant_id, told in agendas.items():
        for entry in told.entries:
            begins, ends = entry.starts_at.astimezone(zone), entry.ends_at.astimezone(zone)
            where = entry.zone_id + (f"/{entry.table}" if entry.table else "")
            what = entry.title or f"{entry.entry_id} with {entry.with_participant_id}"
            revision = f"{told.revision}{' provisional' if told.provisional else ''}"
            table.add_row(participant_id, revision, f"{begins:%Y-%m-%d %H:%M}", f"{ends:%H:%M %Z}", where, what)
    return table
