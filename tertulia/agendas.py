"""`tertulia solve` and `tertulia agenda`: the scheduling engine on a file, and the agendas of a journal."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from shared.runtime.settings import read_settings
from shared.storage.aggregate import fold
from shared.storage.journal_entry import Entry
from tertulia.connections import Backend, run_connected
from tertulia.journals import entries_of
from tertulia.output import show_line, show_table, stop, utc

if TYPE_CHECKING:
    from services.scheduler.domain.snapshots import PublishedAgenda
    from services.scheduler.domain.state import AgendaState

app = typer.Typer()
console = Console(stderr=True)
_COLUMNS = ("Participant", "Revision", "Begins", "Ends", "Where", "What")


@app.command()
def solve(
    file: Annotated[
        Path,
        typer.Argument(
            help="JSON file {edition, organisations, participants, affinities} of event bodies, or B2B instance (.dzn)."
        ),
    ],
    fairness: Annotated[
        int, typer.Option(min=0, help="For a .dzn: largest difference between the breaks of two participants.")
    ] = 2,
    seconds: Annotated[
        float, typer.Option(min=0.0, help="For a .dzn: seconds until the search stops without a proof.")
    ] = 60.0,
) -> None:
    """Solve an edition from a file.

    Needs no running service. Prints agendas, certificate and violations as JSON; exit 1 if a rule is violated.
    """
    if file.suffix == ".dzn":
        _solve_instance(file, fairness, seconds)
        return
    from services.scheduler.solve import BadEditionFile, solve_file  # noqa: PLC0415

    try:
        solved = solve_file(file)
    except BadEditionFile as error:
        stop(console, str(error))
    typer.echo(solved.model_dump_json(indent=2))
    raise typer.Exit(1 if solved.violations else 0)


def _solve_instance(file: Path, fairness: int, seconds: float) -> None:
    """Print the slots of the meetings (counted from 1), the breaks and the proven bound; exit 1 without a schedule."""
    from bench.b2b.instance import Infeasible, violations  # noqa: PLC0415
    from bench.b2b.reader import BadInstanceFile, read  # noqa: PLC0415
    from bench.b2b.solve import solve  # noqa: PLC0415

    try:
        instance = read(file)
        solved = solve(instance, fairness, seconds)
    except BadInstanceFile as error:
        stop(console, str(error))
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
    at: Annotated[str | None, typer.Option(help="Instant, such as 2026-11-19T09:00+01:00; now if unset.")] = None,
    seq: Annotated[int | None, typer.Option(min=1, help="Number of a journal entry; the last if unset.")] = None,
    participant: Annotated[str | None, typer.Option(help="Id of a participant; all participants if unset.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a line of JSON per participant.")] = False,
) -> None:
    """Print an edition's agendas as of any instant.

    Folds the scheduler's journal of the edition, and prints the agendas that were published by that instant.
    """
    instant = _instant(at)
    entries = run_connected(_entries(edition), Backend.DATABASE)
    past = list(
        itertools.takewhile(
            lambda entry: (seq is None or entry.seq <= seq) and (instant is None or entry.at <= instant), entries
        )
    )
    if not past:
        stop(console, f"edition {edition!r} has no entry before {utc(entries[0].at)}: ask for a later instant")
    state = _state(edition, past)
    agendas = {
        participant_id: published
        for participant_id, published in sorted(state.agendas.items())
        if participant in {None, participant_id}
    }
    if participant is not None and not agendas:
        stop(console, f"participant {participant!r} has no agenda in edition {edition!r} at entry {past[-1].seq}")
    if as_json:
        for participant_id, published in agendas.items():
            typer.echo(f'{{"participant_id":"{participant_id}","agenda":{published.model_dump_json()}}}')
    else:
        show_table(Console(), _COLUMNS, _rows(agendas))
    show_line(
        console,
        f"{len(agendas)} agendas, {len(state.placements)} encounters, as of entry {past[-1].seq} at {utc(past[-1].at)}",
    )


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is no instant in ISO 8601, such as 2026-11-19T09:00+01:00", param_hint="--at"
        ) from None
    if instant.tzinfo is None:
        raise typer.BadParameter(f"{text!r} has no offset from UTC: write {text}Z or {text}+01:00", param_hint="--at")
    return instant


async def _entries(edition_id: str) -> list[Entry]:
    from services.scheduler.settings import Settings  # noqa: PLC0415

    return await entries_of(read_settings(Settings), edition_id)


def _state(edition_id: str, entries: Sequence[Entry]) -> AgendaState:
    from services.scheduler.aggregate import AgendaAggregate  # noqa: PLC0415

    aggregate = AgendaAggregate()
    return fold(aggregate, aggregate.empty(edition_id), entries)


def _rows(agendas: Mapping[str, PublishedAgenda]) -> Iterator[Sequence[str]]:
    """Return the rows of `_COLUMNS`."""
    for participant_id, published in agendas.items():
        for entry in published.entries:
            where = entry.zone_id + (f"/{entry.table}" if entry.table else "")
            what = entry.title or f"{entry.entry_id} with {entry.with_participant_id}"
            revision = f"{published.revision}{' provisional' if published.provisional else ''}"
            yield participant_id, revision, utc(entry.starts_at), utc(entry.ends_at), where, what
