"""`tertulia rebuild`: a service's state from the topics, into an empty database, compared with the live one."""

from __future__ import annotations

import asyncio
import importlib
import itertools
import time
from dataclasses import dataclass, field
from typing import Annotated, Any

import typer
from aiokafka.errors import KafkaError
from pymongo.errors import PyMongoError
from rich.console import Console
from rich.table import Table

from services import SERVICES
from shared.contract.topics import group_of
from shared.messaging import topic_log
from shared.messaging.topic_log import LogUnreadable, TopicLog
from shared.storage.mongo import Mongo, MongoDatabase
from shared.storage.rebuild import CannotRebuild, Rebuilder, Rebuilt, View, differences, digest

app = typer.Typer()
console = Console()
_MOST_SHOWN = 20


class NotEmpty(Exception):
    """The database to rebuild into has documents: it is somebody's."""


@dataclass
class Outcome:
    """What came of a rebuild: by edition the things written, and both views. The rest is as in `topic_log.TopicLog`."""

    database: str
    seconds: float = 0.0
    undecodable: int = 0
    unbounded: set[str] = field(default_factory=set)
    editions: dict[str, Rebuilt] = field(default_factory=dict)
    views: dict[str, tuple[View, View]] = field(default_factory=dict)

    @property
    def is_equal(self) -> bool:
        """Whether each edition that was compared is as the live one, by its hash."""
        return all(digest(rebuilt) == digest(live) for rebuilt, live in self.views.values())


@app.command()
def rebuild(
    service: Annotated[str, typer.Argument(help=f"One of {', '.join(SERVICES)}. Compare when nothing comes in.")],
    edition: Annotated[str | None, typer.Option(help="This edition only; all if unset.")] = None,
    into: Annotated[str | None, typer.Option(help="An empty database; `<the service's own>_rebuilt` if unset.")] = None,
    compare: Annotated[bool, typer.Option(help="Compare with the service's own database.")] = True,
) -> None:
    """Rebuild a service's state from the topics into an empty database. Sends nothing; exit 1 if it is not the same."""
    if service not in SERVICES:
        raise typer.BadParameter(f"{service!r} is not one of {', '.join(SERVICES)}")
    rebuilder = rebuilder_of(service)
    database = into or f"{rebuilder.settings.database}_rebuilt"
    try:
        outcome = asyncio.run(run(rebuilder, database, edition, compare=compare))
    except (CannotRebuild, NotEmpty, LogUnreadable, KafkaError, PyMongoError) as error:
        console.print(f"{service} not rebuilt into {database}: {error or repr(error)}", style="red", markup=False)
        raise typer.Exit(1) from None
    _report(service, outcome)
    raise typer.Exit(0 if outcome.is_equal else 1)


def rebuilder_of(service: str) -> Rebuilder:
    """What rebuilds a service; needs what the service needs."""
    module = importlib.import_module(f"services.{service}.rebuild")
    rebuilder: Rebuilder = getattr(module, f"{service.capitalize()}Rebuilder")()
    return rebuilder


async def run(rebuilder: Rebuilder, into: str, edition_id: str | None = None, *, compare: bool = True) -> Outcome:
    """Rebuild editions into a database, and view them beside the live ones.

    Raises:
        NotEmpty: the database has documents.
        CannotRebuild: the topics do not make a state.
        LogUnreadable, KafkaError, PyMongoError: what is needed is away.
    """
    outcome, settings = Outcome(into), rebuilder.settings
    mongo = Mongo(settings)
    try:
        target, live = mongo.database(into), mongo.database(settings.database)
        await _must_be_empty(target)
        started = time.monotonic()
        group = group_of(settings.service)
        consumed = (
            await topic_log.read(settings, rebuilder.consumed, edition_id, group) if rebuilder.consumed else TopicLog()
        )
        published = await topic_log.read(settings, rebuilder.published, edition_id)
        outcome.undecodable, outcome.unbounded = consumed.undecodable + published.undecodable, consumed.unbounded
        for one in sorted({*consumed.events, *published.events}):
            outcome.editions[one] = await rebuilder.write(target, one, consumed.of(one), published.of(one))
        outcome.seconds = time.monotonic() - started
        if compare and into != settings.database:
            for one in outcome.editions:
                outcome.views[one] = (await rebuilder.view(target, one), await rebuilder.view(live, one))
    finally:
        await mongo.close()
    if not outcome.editions:
        raise CannotRebuild(f"the topics say nothing of {edition_id or 'any edition'}: is the broker the right one?")
    return outcome


async def _must_be_empty(database: MongoDatabase) -> None:
    for collection in await database.list_collection_names():
        if await database[collection].find_one({}, {"_id": 1}) is not None:
            raise NotEmpty(f"it is not empty ({collection} has documents): drop it, or name another with --into")


def _report(service: str, outcome: Outcome) -> None:
    table = Table("Edition", "Things", "Rebuilt", "Live", "")
    for edition_id, rebuilt in outcome.editions.items():
        ours, theirs = (digest(view)[:16] if view else "-" for view in outcome.views.get(edition_id, ({}, {})))
        table.add_row(edition_id, str(rebuilt.things), ours, theirs, _verdict(outcome, edition_id))
    console.print(table)
    for edition_id, views in outcome.views.items():
        _tell_differences(edition_id, *views)
    for edition_id, rebuilt in outcome.editions.items():
        for note in rebuilt.notes:
            console.print(f"{edition_id}: {note}", markup=False, highlight=False)
    if outcome.undecodable:
        console.print(f"{outcome.undecodable} records are no events: see `tertulia dlq list`", markup=False)
    for topic in sorted(outcome.unbounded):
        console.print(
            f"{topic}: {group_of(service)} has committed nothing: read to its end. What the service had not handled "
            "yet is known now and decided by nobody: register it again.",
            style="yellow",
        )
    console.print(f"{service} rebuilt into {outcome.database} in {outcome.seconds:.1f} s", highlight=False)


def _verdict(outcome: Outcome, edition_id: str) -> str:
    if edition_id not in outcome.views:
        return "not compared"
    rebuilt, live = outcome.views[edition_id]
    if not live:
        return "not in the live database"
    return "equal" if digest(rebuilt) == digest(live) else "[red]not equal[/red]"


def _tell_differences(edition_id: str, rebuilt: View, live: View) -> None:
    if not live:
        return
    found: list[Any] = list(itertools.islice(differences(rebuilt, live), _MOST_SHOWN + 1))
    if not found:
        return
    table = Table("Part", "Id", "Rebuilt", "Live", title=f"{edition_id}: the first {_MOST_SHOWN} differences")
    for row in found[:_MOST_SHOWN]:
        table.add_row(*row)
    console.print(table)
