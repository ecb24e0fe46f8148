"""`tertulia why`: the past of an encounter, from the journals of matching and of the scheduler."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console

from shared.contract.ids import pair_id
from shared.internal_api.remedies import describe
from shared.runtime.clock import utc_now
from shared.runtime.settings import read_settings
from shared.storage.aggregate import fold
from shared.storage.history import Step, read_back
from shared.storage.journal_entry import Entry
from tertulia.connections import Backend, run_connected
from tertulia.journals import journal_of
from tertulia.output import show_line, show_table, stop, utc

app = typer.Typer()
console = Console()
_errors = Console(stderr=True)


@app.command()
def why(
    encounter: Annotated[str, typer.Argument(help="The encounter's id.")],
    edition: Annotated[str | None, typer.Option(help="The edition it is of; all are searched if unset.")] = None,
) -> None:
    """Show the past of an encounter: its request, its score, its places, and the causes of its moves.

    If it waits, the last line names the smallest change that would place it now.
    """
    found = run_connected(_found(encounter, edition), Backend.DATABASE)
    if found is None:
        where = f"edition {edition!r}" if edition else "any edition"
        stop(
            _errors,
            f"no encounter {encounter!r} in the scheduler's journal of {where}: agendas and encounter.v1 name them",
        )
    edition_id, pair, steps, wait = found
    show_line(console, f"edition {edition_id}: {pair[0]} and {pair[1]}")
    rows = [(utc(step.at), step.entry, step.inputs, step.what, step.cause) for step in steps]
    show_table(console, ("At", "Entry", "Inputs", "What", "Cause"), rows)
    if wait:
        show_line(console, wait)


async def _found(encounter: str, edition: str | None) -> tuple[str, tuple[str, str], list[Step], str] | None:
    from services.scheduler.domain import history  # noqa: PLC0415
    from services.scheduler.domain.changes import CHANGE  # noqa: PLC0415
    from services.scheduler.settings import Settings  # noqa: PLC0415

    async with journal_of(read_settings(Settings)) as journal:
        for edition_id in [edition] if edition else await journal.editions():
            journalled = await journal.entries(edition_id, after=0)
            entries = read_back(CHANGE, journalled)
            pair = history.pair_behind(encounter, edition_id, entries)
            if pair is not None:
                scored = await _matching_steps(edition_id, pair)
                placed = history.steps_of(edition_id, pair, entries)
                steps = sorted([*scored, *placed], key=lambda step: step.at)
                return edition_id, pair, steps, _wait(edition_id, pair, journalled)
    return None


def _wait(edition_id: str, pair: tuple[str, str], entries: Sequence[Entry]) -> str:
    """Return why an encounter waits now, and its remedy, as sentences; empty if it does not wait."""
    from services.scheduler.aggregate import AgendaAggregate  # noqa: PLC0415
    from services.scheduler.domain.organiser.remedies import find_remedy  # noqa: PLC0415

    aggregate, identity = AgendaAggregate(), pair_id(edition_id, *pair)
    state = fold(aggregate, aggregate.empty(edition_id), entries)
    reason, remedy = state.waiting.get(identity), find_remedy(state, identity, utc_now())
    return describe(reason, remedy, {}, ZoneInfo(state.edition.timezone if state.edition else "UTC"))


async def _matching_steps(edition_id: str, pair: tuple[str, str]) -> list[Step]:
    from services.matching.aggregate import MatchingAggregate  # noqa: PLC0415
    from services.matching.domain import history  # noqa: PLC0415
    from services.matching.settings import Settings  # noqa: PLC0415

    settings = read_settings(Settings)
    if settings.mongo_database:
        note = "TERTULIA_MONGO_DATABASE names the scheduler's database, so the steps of matching are left out"
        show_line(_errors, note, style="yellow")
        return []
    async with journal_of(settings) as journal:
        entries = read_back(MatchingAggregate.change_type, await journal.entries(edition_id, after=0))
    return list(history.steps_of(edition_id, pair, entries))
