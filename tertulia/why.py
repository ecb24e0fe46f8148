"""`tertulia why`: how an encounter came to be where it is, from the journals of matching and of the scheduler."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from shared.contract.ids import encounter_id, pair_id
from shared.storage.journal import Entry
from tertulia.journals import journal_of

app = typer.Typer()
console = Console()
_errors = Console(stderr=True)


@dataclass(frozen=True)
class Step:
    """One thing that happened to an encounter: the journal entry it is in, and what set it off."""

    at: datetime
    entry: str
    inputs: str
    what: str
    cause: str = ""


@app.command()
def why(
    encounter: Annotated[str, typer.Argument(help="The encounter's id.")],
    edition: Annotated[str | None, typer.Option(help="The edition it is of; all are searched if unset.")] = None,
) -> None:
    """Say what put an encounter where it is: who asked, how it scored, each place it had, and what moved it."""
    found = asyncio.run(_found(encounter, edition))
    if found is None:
        where = f"edition {edition!r}" if edition else "any edition"
        _errors.print(
            f"no encounter {encounter!r} in the scheduler's journal of {where}: agendas and encounter.v1 name them",
            style="red",
            markup=False,
        )
        raise typer.Exit(1)
    edition_id, pair, steps = found
    console.print(f"edition {edition_id}: {pair[0]} and {pair[1]}", highlight=False)
    table = Table("At", "Entry", "Inputs", "What", "Cause")
    for step in steps:
        table.add_row(f"{step.at:%Y-%m-%d %H:%M:%S}", step.entry, step.inputs, step.what, step.cause)
    console.print(table)


async def _found(encounter: str, edition: str | None) -> tuple[str, tuple[str, str], list[Step]] | None:
    from services.scheduler.settings import Settings  # noqa: PLC0415

    async with journal_of(Settings()) as journal:
        for edition_id in [edition] if edition else await journal.editions():
            entries = await journal.entries(edition_id, after=0)
            pair = pair_behind(encounter, edition_id, entries)
            if pair is not None:
                asked = steps_before(edition_id, pair, await _matching(edition_id))
                placed = steps_of(edition_id, pair, entries)
                return edition_id, pair, sorted([*asked, *placed], key=lambda step: step.at)
    return None


async def _matching(edition_id: str) -> Sequence[Entry]:
    from services.matching.settings import Settings  # noqa: PLC0415

    async with journal_of(Settings()) as journal:
        return await journal.entries(edition_id, after=0)


def pair_behind(encounter: str, edition_id: str, entries: Sequence[Entry]) -> tuple[str, str] | None:
    """The two participants whom matching named, if their encounter has this id."""
    for change in _changes(entries, "pair_taken"):
        one, other = change["pair"]["participant_ids"]
        if encounter_id(edition_id, one, other) == encounter:
            return one, other
    return None


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


def steps_of(edition_id: str, pair: tuple[str, str], entries: Sequence[Entry]) -> Iterator[Step]:
    """What the scheduler's journal says: each place the pair's encounter had, why it waited, and who changed it."""
    identity = pair_id(edition_id, *pair)
    people = _People(edition_id)
    place: Mapping[str, Any] | None = None
    for entry in entries:
        before = place
        for change in entry.changes:
            people.learn(change)
            if change.get("pair_id") != identity:
                continue
            cause = people.cause(change.get("cause"), entry)
            match change["type"]:
                case "placed":
                    place = change["place"]
                    what = f"moved {_place(before)} -> {_place(place)}" if before else f"placed {_place(place)}"
                    yield _step(entry, "scheduler", what, cause)
                case "lifted":
                    place = None
                    if not _is_placed_later(entry, identity):
                        yield _step(entry, "scheduler", f"lost {_place(before)}", cause)
                case "ordered":
                    yield _step(entry, "scheduler", people.order(change["comes_after"]), cause)
                case _:
                    yield _step(entry, "scheduler", _said(change), cause)


def _said(change: Mapping[str, Any]) -> str:
    match change["type"]:
        case "pair_taken":
            pair = change["pair"]
            return f"consent {pair['consent']}, score {pair['score']:.4f}, priority {pair['priority']}"
        case "waits":
            return f"waits: {change['reason']}" if change["reason"] else "is not wanted any more"
        case "locked":
            return "locked by hand" if change["is_locked"] else "not locked any more"
        case "taken_over":
            one, other, *guests = change["people"]
            joined = f", joined by {', '.join(guests)}" if guests else ""
            return f"{one} and {other} meet{joined}"
        case "attendance_noted":
            absent = change["attended"]["absent_ids"]
            return f"{change['attended']['outcome']}{', absent ' if absent else ''}{', '.join(absent)}"
        case other:
            return str(other)


class _People:
    """Who is behind the pairs that causes name."""

    def __init__(self, edition_id: str) -> None:
        self._edition_id = edition_id
        self._pairs: dict[str, str] = {}

    def learn(self, change: Mapping[str, Any]) -> None:
        if change["type"] == "pair_taken":
            self._pairs[change["pair_id"]] = " and ".join(change["pair"]["participant_ids"])

    def order(self, comes_after: Sequence[str]) -> str:
        """Whose encounters one has to come after."""
        whose = "; ".join(self._pairs.get(each, each) for each in comes_after)
        return f"comes after: {whose}" if whose else "comes after no other any more"

    def cause(self, cause: Mapping[str, str] | None, entry: Entry) -> str:
        """What set a change off, and of whom; of an edit by hand, which."""
        if cause is None:
            return ""
        subject = cause["subject_id"]
        whose = "" if subject == self._edition_id else f" {self._pairs.get(subject, subject)}"
        edits = [change["made"]["edit"]["type"] for change in entry.changes if change["type"] == "edited"]
        undone = ["undo" for change in entry.changes if change["type"] == "undone"]
        by_hand = f" ({', '.join(edits + undone)})" if cause["code"] == "organiser_edited" and edits + undone else ""
        return f"{cause['code']}{whose}{by_hand}"


def _is_placed_later(entry: Entry, identity: str) -> bool:
    kinds = [change["type"] for change in entry.changes if change.get("pair_id") == identity]
    return "placed" in kinds[kinds.index("lifted") :]


def _request(request_id: str, request: Mapping[str, Any]) -> str:
    whom = f"asks for {request['target_id']}" if request["target_id"] else "asks for partners"
    return f"{request_id}: {request['requester_id']} {whom}: {request['state']}"


def _place(place: Mapping[str, Any] | None) -> str:
    if place is None:
        return "-"
    begins = datetime.fromisoformat(place["starts_at"])
    return f"{begins:%m-%d %H:%M} slot {place['slot']} {place['zone_id']}/{place['table']}"


def _step(entry: Entry, service: str, what: str, cause: str = "") -> Step:
    inputs = " ".join(f"{place}@{offset}" for place, offset in sorted(entry.applied.items()))
    return Step(entry.at, f"{service}:{entry.seq}", inputs, what, cause)


def _changes(entries: Sequence[Entry], kind: str) -> Iterator[Mapping[str, Any]]:
    return (change for entry in entries for change in entry.changes if change["type"] == kind)
