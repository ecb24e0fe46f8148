"""`tertulia why`: the past of an encounter, from the journals of matching and of the scheduler."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.console import Console

from shared.contract.ids import pair_id
from shared.storage.history import Step, read_back
from shared.storage.journal_entry import Entry
from tertulia.connections import Server, run_connected
from tertulia.journals import journal_of
from tertulia.output import show_line, show_table, stop

app = typer.Typer()
console = Console()
_errors = Console(stderr=True)


@app.command()
def why(
    encounter: Annotated[str, typer.Argument(help="The encounter's id.")],
    edition: Annotated[str | None, typer.Option(help="The edition it is of; all are searched if unset.")] = None,
) -> None:
    """Show the past of an encounter: its request, its score, each place it had, and the cause of each move."""
    found = run_connected(_found(encounter, edition), Server.DATABASE)
    if found is None:
        where = f"edition {edition!r}" if edition else "any edition"
        stop(
            _errors,
            f"no encounter {encounter!r} in the scheduler's journal of {where}: agendas and encounter.v1 name them",
        )
    edition_id, pair, steps = found
    show_line(console, f"edition {edition_id}: {pair[0]} and {pair[1]}")
    rows = [(f"{step.at:%Y-%m-%d %H:%M:%S}", step.entry, step.inputs, step.what, step.cause) for step in steps]
    show_table(console, ("At", "Entry", "Inputs", "What", "Cause"), rows)


async def _found(encounter: str, edition: str | None) -> tuple[str, tuple[str, str], list[Step]] | None:
    from services.scheduler.domain import history  # noqa: PLC0415
    from services.scheduler.domain.changes import CHANGE  # noqa: PLC0415
    from services.scheduler.settings import Settings  # noqa: PLC0415

    async with journal_of(Settings()) as journal:
        for edition_id in [edition] if edition else await journal.editions():
            entries = read_back(CHANGE, await journal.entries(edition_id, after=0))
            pair = history.pair_behind(encounter, edition_id, entries)
            if pair is not None:
                asked = steps_before(edition_id, pair, await _matching(edition_id))
                placed = history.steps_of(edition_id, pair, entries)
                return edition_id, pair, sorted([*asked, *placed], key=lambda step: step.at)
    return None


async def _matching(edition_id: str) -> Sequence[Entry]:
    from services.matching.settings import Settings  # noqa: PLC0415

    async with journal_of(Settings()) as journal:
        return await journal.entries(edition_id, after=0)


def steps_before(edition_id: str, pair: tuple[str, str], entries: Sequence[Entry]) -> Iterator[Step]:
    """What matching's journal says: who asked, what was answered, and each score and consent of the pair."""
    identity = pair_id(edition_id, *pair)
    behind = {
        request
        for change in _changes(entries, "pair_scored")
        if change["affinity"]["pair_id"] == identity
        for request in change["affinity"]["request_ids"]
    }
    for entry in entries:
        for change in entry.changes:
            if change["type"] == "request_learned" and change["request_id"] in behind:
                yield _step(entry, "matching", _request(change["request_id"], change["request"]))
            elif change["type"] == "pair_scored" and change["affinity"]["pair_id"] == identity:
                said = change["affinity"]
                yield _step(
                    entry, "matching", f"scored {said['score']:.4f}, {said['origin']}, consent {said['consent']}"
                )


def _request(request_id: str, request: Mapping[str, Any]) -> str:
    whom = f"asks for {request['target_id']}" if request["target_id"] else "asks for partners"
    return f"{request_id}: {request['requester_id']} {whom}: {request['state']}"


def _step(entry: Entry, service: str, what: str, cause: str = "") -> Step:
    inputs = " ".join(f"{place}@{offset}" for place, offset in sorted(entry.applied.items()))
    return Step(entry.at, f"{service}:{entry.seq}", inputs, what, cause)


def _changes(entries: Sequence[Entry], kind: str) -> Iterator[Mapping[str, Any]]:
    return (change for entry in entries for change in entry.changes if change["type"] == kind)
